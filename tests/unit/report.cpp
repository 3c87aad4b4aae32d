// SPDX-License-Identifier: BSL-1.0
//
// The HTML report: its pictures are PNGs that zlib reads back, its charts take any history, its page needs nothing else,
// and a failing write leaves the old one.
#include "support/files.hpp"

#include <tenon/core/tensor.hpp>
#include <tenon/training/report.hpp>

#include <doctest/doctest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

using namespace tenon;

namespace {

std::uint32_t big_endian(const std::string& bytes, std::size_t at)
{
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

// Checks the chunks' checksums, and returns the unpacked rows.
std::string png_rows(const std::string& png, std::size_t size)
{
    REQUIRE(png.substr(0, 8) == "\x89PNG\r\n\x1a\n");
    std::string rows(size, '\0');
    std::size_t at = 8;
    std::string names;
    while (at < png.size()) {
        const std::uint32_t length = big_endian(png, at);
        const auto* chunk = reinterpret_cast<const Bytef*>(png.data() + at + 4);
        CHECK(crc32(0, chunk, length + 4) == big_endian(png, at + 8 + length));
        const std::string name = png.substr(at + 4, 4);
        names += name + ' ';
        if (name == "IDAT") {
            uLongf written = size;
            CHECK(uncompress(reinterpret_cast<Bytef*>(rows.data()), &written, chunk + 4, length) == Z_OK);
            CHECK(written == size);
        }
        at += 12 + length;
    }
    CHECK(names == "IHDR IDAT IEND ");
    return rows;
}

History history(std::initializer_list<Epoch> epochs)
{
    History result;
    for (const Epoch& epoch : epochs) result.push_back(epoch);
    return result;
}

std::size_t count(const std::string& text, const std::string& part)
{
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

std::string content(const std::string& path)
{
    std::ifstream file{path};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("base64 as in RFC 4648, section 10")
{
    CHECK(detail::base64("") == "");
    CHECK(detail::base64("f") == "Zg==");
    CHECK(detail::base64("fo") == "Zm8=");
    CHECK(detail::base64("foo") == "Zm9v");
    CHECK(detail::base64("foob") == "Zm9vYg==");
    CHECK(detail::base64("fooba") == "Zm9vYmE=");
    CHECK(detail::base64("foobar") == "Zm9vYmFy");
    CHECK(detail::base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("PNG: every row with its filter byte, grey and colour, and more than one stored block")
{
    const std::uint8_t grey[] = {0, 1, 2, 253, 254, 255};
    CHECK(png_rows(detail::png(3, 2, 1, grey), 8) == std::string("\0\x00\x01\x02\0\xfd\xfe\xff", 8));
    const std::uint8_t colour[] = {10, 20, 30};
    CHECK(png_rows(detail::png(1, 1, 3, colour), 4) == std::string("\0\x0a\x14\x1e", 4));

    std::vector<std::uint8_t> large(300 * 300);
    for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::uint8_t>(i * 7);
    const std::string rows = png_rows(detail::png(300, 300, 1, large.data()), 301 * 300);
    bool same = true;
    for (std::size_t y = 0; y < 300; ++y)
        for (std::size_t x = 0; x < 300; ++x)
            same = same && static_cast<std::uint8_t>(rows[y * 301 + 1 + x]) == large[y * 300 + x];
    CHECK(same);
}

TEST_CASE("a picture clamps and rounds")
{
    const Tensor<float, Shape<1, 4, 1>> image{-1.0f, 0.5f, 2.0f, std::numeric_limits<float>::quiet_NaN()};
    const std::uint8_t bytes[] = {0, 128, 255, 0};
    const Picture made = picture(image, "a", "b", false);
    CHECK(made.url == "data:image/png;base64," + detail::base64(detail::png(4, 1, 1, bytes)));
    CHECK(made.caption == "a");
    CHECK(made.note == "b");
    CHECK_FALSE(made.right);
}

TEST_CASE("charts: one point per finite value, for one epoch, for equal values, and without validation")
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto points = [](const History& h) { return count(Report{"r"}.curves(h).html(), "<circle "); };
    CHECK(points(history({})) == 0);
    CHECK(points(history({{1, {0.5, 0.8}, {nan, nan}, 1, 1}})) == 2);
    CHECK(points(history({{1, {0.5, nan}, {0.4, nan}, 1, 1}})) == 2);
    CHECK(points(history({{1, {0.0, 1.0}, {0.0, 1.0}, 1, 1}, {2, {0.0, 1.0}, {0.0, 1.0}, 1, 1}})) == 8);
    const std::string page =
        Report{"r"}.curves(history({{1, {0.5, nan}, {nan, nan}, 1, 1}, {2, {1e-9, nan}, {}, 1, 1}})).html();
    CHECK(count(page, "<figure class=\"chart\"") == 1);
    CHECK(count(page, "nan") == 0);
    CHECK(count(page, "inf") == 0);
}

TEST_CASE("pace: every step is in some point, and their number stays bounded")
{
    callbacks::Pace pace;
    const auto steps = [&](std::uint64_t count) {
        pace = {};
        for (std::uint64_t i = 1; i <= count; ++i) {
            StepInfo info;
            info.number = i;
            info.rows = i == count ? 7 : 32;
            info.seconds = 0.25;
            info.learning_rate = static_cast<double>(i);
            pace.step(info);
        }
    };
    steps(3);
    CHECK(pace.learning_rates() == std::vector<double>{1, 2, 3});
    CHECK(pace.samples_per_second() == std::vector<double>{128, 128, 28});
    CHECK(count(Report{"r"}.pace(pace).html(), "<circle ") == 6);
    steps(200);
    CHECK(pace.steps_per_point() == 1);
    steps(1001);
    CHECK(pace.steps_per_point() == 8);
    REQUIRE(pace.learning_rates().size() == 126);
    CHECK(pace.learning_rates()[0] == 8);
    CHECK(pace.learning_rates()[124] == 1000);
    CHECK(pace.learning_rates()[125] == 1001);
    CHECK(pace.samples_per_second()[124] == 128);
    CHECK(pace.samples_per_second()[125] == 28);
    // Ticks at whole thousands are where the values of those steps are.
    const std::string page = Report{"r"}.pace(pace).html();
    CHECK(count(page, ">1000</text>") >= 1);
    CHECK(count(page, "nan") == 0);
    CHECK(count(Report{"r"}.pace({}).html(), "<figure class=\"chart\"") == 0);
}

TEST_CASE("the page escapes what it is given, and fetches nothing")
{
    ConfusionMatrix<2> matrix;
    matrix.add(0, 0);
    matrix.add(1, 0);
    const std::string_view names[] = {"<cat>", "dog & \"wolf\""};
    Report report{"a < b", "c > d"};
    report.chapter("<ch>", "<cn>")
        .figures({{"<x>", "&"}})
        .comparison("<co>", {"<col>", "short"}, {{"<row>", {"<val>"}}})
        .confusion(matrix, names)
        .lines("<li>", "<ax>", {"<pl>", "last"}, {{"<qu>", {100, 50.5}}, {"empty", {}}})
        .table("<t>", {{"<l>", "<v>"}})
        .text("<h>", "<pre-text>")
        .pictures("<p>", {picture(Tensor<float, Shape<1, 1>>{0.0f}, "<c>", "<n>")});
    const std::string page = report.html();
    for (const char* raw :
         {"<cat>", "\"wolf\"", "a < b", "<x>",   "<t>",   "<l>",   "<v>",  "<h>",  "<pre-text>", "<c>", "<n>",
          "<ch>",  "<cn>",     "<co>",  "<col>", "<row>", "<val>", "<li>", "<ax>", "<pl>",       "<qu>"})
        CHECK_MESSAGE(count(page, raw) == 0, raw);
    CHECK(count(page, "a &lt; b") == 2);
    CHECK(count(page, "<tr><th>&lt;row&gt;</th><td>&lt;val&gt;</td><td>–</td></tr>") == 1);  // a value that is missing
    CHECK(count(page, "&lt;ax&gt; &lt;pl&gt;: 100<") == 1);
    CHECK(count(page, "&lt;ax&gt; last: 50.5<") == 1);
    CHECK(count(page, "empty") == 0);  // a quantity without a value has no chart
    CHECK(count(page, "<header") == 2);
    CHECK(count(page, "http") == 0);
    CHECK(count(page, "url(") == 0);
    CHECK(count(page, "@import") == 0);
    CHECK(count(page, " src=") == count(page, " src=\"data:image/png;base64,"));
    CHECK(count(page, "<script") == 0);
    for (const char* tag : {"section", "table", "figure", "figcaption", "tr", "td", "th", "header", "div"}) {
        const std::string name = tag;
        CHECK_MESSAGE(count(page, '<' + name + '>') + count(page, '<' + name + ' ') == count(page, "</" + name + '>'),
                      name);
    }
}

TEST_CASE("writing: a new page in place of the old one, or the old one and a sentence")
{
    const support::Folder folder;
    const std::string path = folder / "report.html", full_path = folder / "full.html";
    write_report(path, Report{"first"});
    CHECK(content(path) != "");
    write_report(path, Report{"second"});
    CHECK(count(content(path), "<h1>second</h1>") == 1);
    CHECK_FALSE(std::filesystem::exists(path + ".tmp"));

    const Result<Done> failed = try_write_report("no-such-folder/report.html", Report{"r"});
    REQUIRE_FALSE(failed);
    CHECK(failed.error().find("no-such-folder/report.html") == 0);
    CHECK_THROWS_AS(write_report("no-such-folder/report.html", Report{"r"}), Error);

    // A folder in the file's place cannot be replaced.
    std::filesystem::remove_all(path);
    std::filesystem::create_directory(path);
    CHECK_FALSE(try_write_report(path, Report{"r"}));
    CHECK_FALSE(std::filesystem::exists(path + ".tmp"));

    // A full disk shows in the write or in the flush.
    if (std::filesystem::exists("/dev/full")) {
        std::filesystem::create_symlink("/dev/full", full_path + ".tmp");
        const Result<Done> full = try_write_report(full_path, Report{"r"});
        REQUIRE_FALSE(full);
        CHECK(full.error().find("No space left") != std::string::npos);
        CHECK_FALSE(std::filesystem::exists(full_path));
    }
}

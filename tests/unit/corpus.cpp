// SPDX-License-Identifier: BSL-1.0
// The fuzz targets over their committed corpus: ok-… must be taken, bad-… refused, the rest just survived.
#include <fuzz/targets.hpp>

#include <support/files.hpp>

#include <doctest/doctest.h>

namespace {

void replay(const char* reader, bool (*target)(fuzz::Bytes), std::size_t at_least)
{
    std::size_t files = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator{std::filesystem::path{support::tests_folder()} / "fuzz/corpus" / reader})
    {
        const std::string name = entry.path().filename().string();
        CAPTURE(name);
        const support::Bytes bytes = support::read_bytes(entry.path());
        const bool taken = target(bytes);
        if (name.rfind("ok-", 0) == 0) CHECK(taken);
        if (name.rfind("bad-", 0) == 0) CHECK_FALSE(taken);
        ++files;
    }
    CHECK(files >= at_least);
}

}  // namespace

TEST_CASE("corpus: idx") { replay("idx", fuzz::idx, 20); }
TEST_CASE("corpus: safetensors") { replay("safetensors", fuzz::safetensors, 30); }
TEST_CASE("corpus: csv") { replay("csv", fuzz::csv, 14); }

TEST_CASE("corpus: prefixes and bit flips of every good file keep the targets' promises")
{
    // Every header byte counts, and a general JSON library agrees on each: see fuzz/targets.hpp.
    const auto damage = [](const char* file, bool (*target)(fuzz::Bytes)) {
        const support::Bytes good = support::read_bytes(std::filesystem::path{support::tests_folder()} / "fuzz/corpus" / file);
        REQUIRE(target(good));
        support::each_damage(good, 1000, [&](const support::Bytes& damaged) { static_cast<void>(target(damaged)); });
    };
    for (const char* file : {"idx/ok-images", "idx/ok-labels", "idx/ok-images.gz", "idx/ok-two-members.gz"})
        damage(file, fuzz::idx);
    for (const char* file : {"safetensors/ok-two", "safetensors/ok-names", "safetensors/ok-out-of-order"})
        damage(file, fuzz::safetensors);
    for (const char* file : {"csv/ok-crlf", "csv/ok-classes"}) damage(file, fuzz::csv);
}

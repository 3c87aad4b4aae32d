// SPDX-License-Identifier: BSL-1.0
#include <tenon/data/csv.hpp>

#include <support/files.hpp>

#include <doctest/doctest.h>

using namespace tenon;

namespace {

using Pair = Shape<2>;
using One = Shape<1>;

template <class Target = Shape<1>, class S = Pair>
data::CsvDataset<S, Target> parse(std::string_view text, const data::CsvOptions& options = {})
{
    return data::parse_csv<S, Target>(text, "file.csv", options);
}

template <class Target = Shape<1>, class S = Pair>
std::string error_of(std::string_view text, const data::CsvOptions& options = {})
{
    const auto result = data::try_parse_csv<S, Target>(text, "file.csv", options);
    return result ? "no error" : result.error();
}

}  // namespace

TEST_CASE("csv: the last column is the target unless told otherwise")
{
    const auto table = parse("a,b,price\n1,2,3\n-4.5,+5e-1,6E2\n");
    CHECK(table.rows.size() == 2);
    CHECK(table.rows.input(1) == Tensor<float, Pair>{-4.5f, 0.5f});
    CHECK(table.rows.target(1)[0] == 600);
    CHECK(table.inputs == std::vector<std::string>{"a", "b"});
    CHECK(table.targets == std::vector<std::string>{"price"});
}

TEST_CASE("csv: columns by name and by index, in any order, without a header")
{
    const char* text = "a,b,c,d\n1,2,3,4\n5,6,7,8\n";
    const auto named = parse(text, {.inputs = {"d", "a"}, .targets = {"b"}});
    CHECK(named.rows.input(1) == Tensor<float, Pair>{8, 5});
    CHECK(named.rows.target(1)[0] == 6);
    const auto numbered = parse(text, {.inputs = {3, 0}, .targets = {1}});
    CHECK(numbered.rows.input(1) == named.rows.input(1));
    CHECK(numbered.inputs == std::vector<std::string>{"d", "a"});
    const auto bare = parse("1,2,3\n4,5,6", {.header = false, .targets = {0}});
    CHECK(bare.rows.size() == 2);
    CHECK(bare.rows.input(0) == Tensor<float, Pair>{2, 3});
    CHECK(bare.inputs.empty());
    // Two targets from the end.
    const auto two = parse<Shape<2>, One>("a,b,c\n1,2,3\n");
    CHECK(two.rows.target(0) == Tensor<float, Pair>{2, 3});
    // A column may be both input and target.
    CHECK(parse(text, {.inputs = {"a", "b"}, .targets = {"b"}}).rows.target(0)[0] == 2);
}

TEST_CASE("csv: quotes, line ends, blanks, byte order mark, other separators")
{
    const auto table = parse("\xef\xbb\xbf\"a, \"\"x\"\"\",\"b\nc\",d\r\n\r\n 1 ,\t\"2\" , 3 \r\n  \n4,5,\"6\"\r\n");
    CHECK(table.inputs == std::vector<std::string>{"a, \"x\"", "b\nc"});
    REQUIRE(table.rows.size() == 2);
    CHECK(table.rows.input(0) == Tensor<float, Pair>{1, 2});
    CHECK(table.rows.target(1)[0] == 6);
    CHECK(parse("a;b;c\n1;2;3", {.separator = ';'}).rows.size() == 1);
    CHECK(parse("a\tb\tc\n1\t2\t3\n", {.separator = '\t'}).rows.input(0)[1] == 2);
    CHECK(parse("a\tb\tc\n", {.separator = '\t'}).rows.size() == 0);
}

TEST_CASE("csv: labels as numbers, as text, and by a given list")
{
    const auto numbers = parse<data::Label>("a,b,y\n1,2,0\n3,4,2\n");
    CHECK(numbers.rows.label(1) == 2);
    CHECK(numbers.rows.classes() == 3);
    CHECK(numbers.classes.empty());
    const auto texts = parse<data::Label>("a,b,y\n1,2,setosa\n3,4,virginica\n5,6,setosa\n7,8,iris\n");
    CHECK(texts.classes == std::vector<std::string>{"iris", "setosa", "virginica"});
    CHECK(texts.rows.label(0) == 1);
    CHECK(texts.rows.label(3) == 0);
    CHECK(texts.rows.classes() == 3);
    const data::CsvOptions given{.classes = {"no", "yes", "maybe"}};
    CHECK(parse<data::Label>("a,b,y\n1,2,yes\n", given).rows.label(0) == 1);
    CHECK(parse<data::Label>("a,b,y\n1,2,yes\n", given).rows.classes() == 3);
    CHECK(error_of<data::Label>("a,b,y\n1,2,never\n", given) ==
          "file.csv: line 2, column 3 ('y'): expected one of the given classes, found 'never'");
    // One text makes all of them texts.
    CHECK(parse<data::Label>("a,b,y\n1,2,1\n3,4,x\n").classes == std::vector<std::string>{"1", "x"});
}

TEST_CASE("csv: numbers at the edges")
{
    CHECK(parse("a,b,c\n1e-50,3.4028234e38,-0\n").rows.input(0)[0] == 0);
    CHECK(parse("a,b,c\n1e-40,0.1,5\n").rows.input(0)[0] > 0);
    CHECK(parse("a,b,c\n1,0.1,5\n").rows.input(0)[1] == 0.1f);
    for (const char* bad :
         {"nan", "inf", "-inf", "1e39", "-1e400", "", "x", "1x", "1,5", "0x10", "+-1", "+", "1 2", "--1"}) {
        const std::string text = std::string{"a,b,c\n7,8,9\n1,\""} + bad + "\",2\n";
        CHECK(error_of(text) ==
              std::string{"file.csv: line 3, column 2 ('b'): expected a finite number, found '"} + bad + "'");
    }
}

TEST_CASE("csv: every malformed file names line, expected and found")
{
    CHECK(error_of("") == "file.csv: line 1: expected a line of values, found an empty file");
    CHECK(error_of("\n \n") == "file.csv: line 1: expected a line of values, found an empty file");
    CHECK(error_of("a,b,c\n1,2\n") == "file.csv: line 2: expected 3 fields, as in the first line, found 2");
    CHECK(error_of("a,b,c\n1,2,3\n\n1,2,3,4\n") ==
          "file.csv: line 4: expected 3 fields, as in the first line, found 4");
    CHECK(error_of("a,b,c\n1,2,3,\n") == "file.csv: line 2: expected 3 fields, as in the first line, found 4");
    CHECK(error_of("a,b,c\n1,\"2,3\n") ==
          "file.csv: line 2, column 2: expected a closing quote, found the end of the file");
    CHECK(error_of("a,b,c\n1,\"2\"x,3\n") ==
          "file.csv: line 2, column 2: expected a separator or the end of the line after a closing quote, found 'x'");
    CHECK(error_of("a,b,c\n1,2\"2\",3\n") ==
          "file.csv: line 2, column 2: expected a quoted field to start with its quote, found a quote inside a field");
    CHECK(error_of("a,b,c,d\n1,2,3,4\n") ==
          "file.csv: line 1: expected 2 input and 1 target columns, found 3 and 1 of 4 columns");
    CHECK(error_of("a,b\n1,2\n") ==
          "file.csv: line 1: expected 2 input and 1 target columns, found 1 and 1 of 2 columns");
    CHECK(error_of("a,b,c\n", {.targets = {"price"}}) ==
          "file.csv: line 1: expected a column named 'price', found 'a', 'b', 'c'");
    CHECK(error_of("a,b,b\n", {.targets = {"b"}}) ==
          "file.csv: line 1: expected one column named 'b', found several of them");
    CHECK(error_of("a,b,c\n", {.targets = {3}}) == "file.csv: line 1: expected a column with index 3, found 3 columns");
    CHECK(error_of("1,2,3\n", {.header = false, .targets = {"b"}}) ==
          "file.csv: line 1: expected a header line with a column named 'b', found no header line, by the options");
    // A quoted line end does not lose the count.
    CHECK(error_of("a,\"b\n\n\",c\n1,2,x\n") ==
          "file.csv: line 4, column 3 ('c'): expected a finite number, found 'x'");
}

TEST_CASE("csv: from a file")
{
    const support::Folder folder;
    support::write_bytes(folder / "x.csv", support::bytes_of("a,b,c\n1,2,3\n"));
    const auto table = data::load_csv<Pair, One>(folder / "x.csv");
    CHECK(table.rows.target(0)[0] == 3);
    const auto missing = data::try_load_csv<Pair, One>(folder / "y.csv");
    REQUIRE(!missing);
    CHECK(missing.error() == (folder / "y.csv") + ": cannot open for reading: No such file or directory");
    CHECK(!data::try_load_csv<Pair, One>(folder.path().string()));
}

TEST_CASE("csv: every prefix and bit flips of a good file end in an error or in whole rows")
{
    const auto good = support::bytes_of("a,\"b \"\"quoted\"\"\",c\r\n1.5,-2e3,3\r\n\"4\",5,6\r\n7,8,9\r\n");
    support::each_damage(good, 1000, [](const support::Bytes& damaged) {
        const std::string_view text{reinterpret_cast<const char*>(damaged.data()), damaged.size()};
        const auto result = data::try_parse_csv<Pair, One>(text, "file.csv", {});
        if (!result) {
            REQUIRE(result.error().find("expected") != std::string::npos);
        } else {
            REQUIRE(result.value().rows.size() <= 3);
        }
        const auto labels = data::try_parse_csv<Pair, data::Label>(text, "file.csv", {});
        if (labels) REQUIRE(labels.value().rows.size() <= 3);
    });
}

// SPDX-License-Identifier: BSL-1.0
//
// The main function of every doctest runner. A run that selects no test case fails: a filter with a typing error in it
// would pass for ever otherwise.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#ifdef TENON_TESTS  // not on boards
namespace support {
std::string tests_folder();
std::string tests_folder() { return TENON_TESTS; }
}  // namespace support
#endif

namespace {

unsigned selected = 0;

struct CountSelected : doctest::IReporter {
    explicit CountSelected(const doctest::ContextOptions&) {}
    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats& stats) override { selected = stats.numTestCasesPassingFilters; }
    void test_case_start(const doctest::TestCaseData&) override {}
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_end(const doctest::CurrentTestCaseStats&) override {}
    void test_case_exception(const doctest::TestCaseException&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData&) override {}
    void log_message(const doctest::MessageData&) override {}
    void test_case_skipped(const doctest::TestCaseData&) override {}
};

}  // namespace

REGISTER_LISTENER("count_selected", 1, CountSelected);

int main(int argc, char** argv)
{
    doctest::Context context{argc, argv};
    const int result = context.run();
    if (context.shouldExit() || result != 0) return result;
    if (selected == 0) std::fputs("no test case was selected\n", stderr);
    return selected == 0 ? 1 : 0;
}

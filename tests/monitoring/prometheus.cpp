// SPDX-License-Identifier: BSL-1.0
// What a run serves, read as any client would, and collected by a real Prometheus while the run goes on.
#include <tenon/monitoring/prometheus.hpp>
#include <tenon/tenon.hpp>

#include <support/files.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace tenon;

namespace {

sockaddr_in local(int port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

// The body of an answer; empty where there is none.
std::string get(int port, const std::string& path)
{
    const int connection = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = local(port);
    std::string answer;
    if (::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        const std::string request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
        if (::write(connection, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
            char part[4096];
            for (ssize_t count = 0; (count = ::read(connection, part, sizeof part)) > 0;)
                answer.append(part, static_cast<std::size_t>(count));
        }
    }
    ::close(connection);
    const std::size_t body = answer.find("\r\n\r\n");
    return body == std::string::npos || answer.find(" 200 OK") > 12 ? "" : answer.substr(body + 4);
}

int free_port()
{
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    ::close(listener);
    return ntohs(address.sin_port);
}

// The value of a line of the text format; nothing where there is none.
std::optional<double> value(const std::string& text, const std::string& metric)
{
    const std::string line = '\n' + metric + ' ';
    const std::size_t at = text.find(line);
    if (at == std::string::npos) return std::nullopt;
    return std::stod(text.substr(at + line.size()));
}

using Net = Network<Input<20>, Dense<64>, ReLU, Dense<32>, ReLU, Dense<4>, Softmax>;

data::TensorDataset<Shape<20>, data::Label> points(std::size_t rows)
{
    std::vector<float> inputs;
    std::vector<std::int32_t> labels;
    Random random{Seed{1}};
    for (std::size_t row = 0; row < rows; ++row) {
        labels.push_back(static_cast<std::int32_t>(random.below(4)));
        for (int i = 0; i < 20; ++i)
            inputs.push_back(static_cast<float>(random.normal()) + (i % 4 == labels.back() ? 1.0f : 0.0f));
    }
    return {inputs, labels, 4};
}

// Sees the same as the metrics, and reads them at some step.
struct Reader {
    const monitoring::Prometheus& metrics;
    std::uint64_t at;
    std::string text = {};
    StepInfo info = {};
    double samples = 0;
    double busy = -1;

    void step(const StepInfo& now)
    {
        samples += static_cast<double>(now.rows);
        if (!std::isnan(now.busy_share)) busy = now.busy_share;
        if (now.number != at) return;
        text = get(metrics.port(), "/metrics");
        info = now;
    }
};

}  // namespace

TEST_CASE("a running fit serves what callbacks see")
{
    monitoring::Prometheus metrics{{.labels = {{"rank", "3"}, {"run", "test"}}}};
    CHECK(metrics.port() > 0);
    CHECK(metrics.url() == "http://127.0.0.1:" + std::to_string(metrics.port()) + "/metrics");
    const std::string before = get(metrics.port(), "/metrics");
    CHECK(value(before, "tenon_steps_total{rank=\"3\",run=\"test\"}") == 0.0);
    CHECK(before.find("tenon_loss") == std::string::npos);

    const auto dataset = points(250);
    for (const int threads : {1, 2}) {
        CAPTURE(threads);
        Model<Net> model{Seed{1}};
        Trainer trainer{model, CrossEntropy{}, Adam{}, ClipNorm{std::numeric_limits<double>::infinity()}};
        Reader reader{metrics, 19};
        const History history = trainer.fit(dataset,
                                            {.epochs = 3,
                                             .batch_size = 32,
                                             .validation = &dataset,
                                             .threads = threads,
                                             .schedule = [](std::uint64_t) { return 0.5; },
                                             .progress = Progress::silent},
                                            metrics, reader);
        const auto served = [&](const std::string& name, const std::string& more = "") {
            const auto found = value(reader.text, "tenon_" + name + "{rank=\"3\",run=\"test\"" + more + '}');
            CAPTURE(name);
            CAPTURE(reader.text);
            REQUIRE(found.has_value());
            return *found;
        };
        const double earlier = threads == 1 ? 0.0 : 24.0;
        CHECK(served("steps_total") == 19 + earlier);
        // 250 rows are seven batches of 32 and one of 26.
        CHECK(reader.info.rows == 32);
        CHECK(served("samples_total") == 2 * 250 + 3 * 32 + (threads == 1 ? 0 : 750));
        CHECK(served("epoch") == 3);
        CHECK(served("loss") == doctest::Approx(reader.info.loss));
        CHECK(served("accuracy") == doctest::Approx(reader.info.accuracy));
        CHECK(served("learning_rate") == doctest::Approx(0.5e-3));
        CHECK(served("gradient_norm") == doctest::Approx(reader.info.gradient_norm));
        CHECK(served("gradient_norm") > 0.0);
        CHECK(served("samples_per_second") == doctest::Approx(32.0 / reader.info.seconds));
        CHECK(served("step_seconds_count") == served("steps_total"));
        CHECK(served("step_seconds_sum") >= 19e-6);
        CHECK(served("step_seconds_bucket", ",le=\"+Inf\"") == served("steps_total"));
        CHECK(served("step_seconds_bucket", ",le=\"1e-05\"") <= served("step_seconds_bucket", ",le=\"0.001\""));
        CHECK(served("thread_busy_ratio") == doctest::Approx(reader.busy));
        CHECK(served("thread_busy_ratio") > 0.0);
        CHECK(served("thread_busy_ratio") <= 1.0);
        if (threads == 1) CHECK(served("thread_busy_ratio") == 1.0);
        const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
        CHECK(served("last_step_timestamp_seconds") == doctest::Approx(now).epsilon(1e-6));
        CHECK(served("epoch_loss", ",set=\"training\"") == doctest::Approx(history[1].training.loss));
        CHECK(served("epoch_loss", ",set=\"validation\"") == doctest::Approx(history[1].validation.loss));
        CHECK(served("epoch_accuracy", ",set=\"training\"") == doctest::Approx(history[1].training.accuracy));
        CHECK(served("epoch_accuracy", ",set=\"validation\"") == doctest::Approx(history[1].validation.accuracy));
        CHECK(served("epoch_seconds") == doctest::Approx(history[1].seconds));
        CHECK(reader.samples == 750.0);
    }
}

TEST_CASE("values that there are not are not served")
{
    monitoring::Prometheus metrics;
    std::vector<float> inputs(64 * 3, 0.5f), targets(64, 1.0f);
    const data::TensorDataset<Shape<3>, Shape<1>> dataset{inputs, targets};
    Model<Network<Input<3>, Dense<1>>> model{Seed{1}};
    Trainer{model, MeanSquaredError{}, SGD{}}.fit(dataset, {.progress = Progress::silent}, metrics);
    const std::string text = get(metrics.port(), "/metrics");
    CHECK(value(text, "tenon_loss").has_value());
    CHECK(value(text, "tenon_learning_rate") == 0.01);
    for (const char* const name :
         {"tenon_accuracy", "tenon_gradient_norm", "tenon_epoch_accuracy", "\"validation\"", " nan"})
        CHECK(text.find(name) == std::string::npos);
}

TEST_CASE("a port that is taken")
{
    monitoring::Prometheus metrics;
    const int port = metrics.port();
    CHECK_THROWS_WITH_AS(monitoring::Prometheus{{.port = port}},
                         doctest::Contains("tenon: Prometheus: cannot listen on 127.0.0.1:"), Error);
}

#ifdef TENON_PROMETHEUS
TEST_CASE("Prometheus collects a run while it goes on")
{
    monitoring::Prometheus metrics{{.labels = {{"rank", "0"}}}};
    const auto folder = std::filesystem::current_path() / "prometheus_test";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    std::ofstream{folder / "prometheus.yml"} << "global:\n  scrape_interval: 100ms\n  scrape_timeout: 100ms\n"
                                                "scrape_configs:\n  - job_name: tenon\n    static_configs:\n"
                                                "      - targets: ['127.0.0.1:"
                                             << metrics.port() << "']\n";
    const int port = free_port();
    const std::string config = "--config.file=" + (folder / "prometheus.yml").string();
    const std::string storage = "--storage.tsdb.path=" + (folder / "data").string();
    const std::string listen = "--web.listen-address=127.0.0.1:" + std::to_string(port);
    const pid_t server = ::fork();
    REQUIRE(server >= 0);
    if (server == 0) {
        // Its log is of interest only where it does not start.
        if (std::freopen((folder / "log").c_str(), "w", stderr) == nullptr) ::_exit(126);
        ::execl(TENON_PROMETHEUS, "prometheus", config.c_str(), storage.c_str(), listen.c_str(),
                static_cast<char*>(nullptr));
        ::_exit(127);
    }

    // The first value of a query's result; nothing before there is one.
    const auto ask = [&](const std::string& query) -> std::optional<double> {
        const std::string answer = get(port, "/api/v1/query?query=" + query);
        if (answer.empty()) return std::nullopt;
        const auto json = nlohmann::json::parse(answer);
        if (json.at("status") != "success" || json.at("data").at("result").empty()) return std::nullopt;
        return std::stod(json.at("data").at("result").at(0).at("value").at(1).get<std::string>());
    };

    struct Watcher {
        decltype(ask)& question;
        std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
        std::chrono::steady_clock::time_point last = {};
        std::optional<double> rate = {}, median = {}, loss = {}, busy = {}, steps = {}, up = {};
        std::uint64_t done = 0;
        bool timed_out = false;

        void step(const StepInfo& info)
        {
            done = info.number;
            const auto now = std::chrono::steady_clock::now();
            if (now - last < std::chrono::milliseconds(200)) return;
            last = now;
            // rate(tenon_samples_total{rank="0"}[5s]) and the like
            rate = question("rate(tenon_samples_total%7Brank%3D%220%22%7D%5B5s%5D)");
            median = question("histogram_quantile(0.5,rate(tenon_step_seconds_bucket%5B5s%5D))");
            loss = question("tenon_loss");
            busy = question("tenon_thread_busy_ratio");
            steps = question("tenon_steps_total%7Brank%3D%220%22,job%3D%22tenon%22%7D");
            up = question("up%7Bjob%3D%22tenon%22%7D");
            timed_out = now - start > std::chrono::seconds(60);
        }
        After operator()(const Epoch&)
        {
            return timed_out || (rate > 0.0 && median > 0.0 && loss.has_value() && busy.has_value() && steps > 0.0)
                       ? After::stop
                       : After::proceed;
        }
    } watcher{ask};

    const auto dataset = points(400);
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, Adam{}, ClipNorm{std::numeric_limits<double>::infinity()}};
    trainer.fit(dataset, {.epochs = 1'000'000, .validation = &dataset, .threads = 2, .progress = Progress::silent},
                metrics, watcher);

    // Every query of the dashboard has an answer.
    std::ifstream file{support::tests_folder() + "/../docs/deploy/grafana.json"};
    std::size_t queries = 0;
    const auto dashboard = nlohmann::json::parse(file);
    for (const auto& panel : dashboard.at("panels"))
        for (const auto& target : panel.at("targets")) {
            std::string query = target.at("expr").get<std::string>();
            for (const auto& [variable, text] : {std::pair{"$run", ".*"}, {"$rank", ".*"}, {"$__rate_interval", "10s"}})
                for (std::size_t at = 0; (at = query.find(variable)) != std::string::npos;)
                    query.replace(at, std::strlen(variable), text);
            CAPTURE(query);
            std::string escaped;
            for (const char c : query) {
                char code[4];
                std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
                escaped += code;
            }
            CHECK(ask(escaped).has_value());
            ++queries;
        }
    CHECK(queries >= 12);
    ::kill(server, SIGTERM);
    int status = 0;
    ::waitpid(server, &status, 0);

    std::ifstream log{folder / "log"};
    const std::string text{std::istreambuf_iterator<char>{log}, {}};
    CAPTURE(text);
    CHECK(!watcher.timed_out);
    REQUIRE(watcher.steps.has_value());
    CHECK(*watcher.steps <= static_cast<double>(watcher.done));
    REQUIRE(watcher.rate.has_value());
    // Rows per second by its own clock, against all steps so far.
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - watcher.start).count();
    CHECK(*watcher.rate < 1e9);
    CHECK(*watcher.rate > 0.01 * 400.0 / 13.0 * static_cast<double>(watcher.done) / seconds);
    CHECK(watcher.median > 1e-6);
    CHECK(watcher.median < 1.0);
    CHECK(watcher.loss < 2.0);
    CHECK(watcher.busy > 0.0);
    CHECK(watcher.busy <= 1.0);
    CHECK(watcher.up == 1.0);
    std::filesystem::remove_all(folder);
}
#else
TEST_CASE("Prometheus collects a run while it goes on") { MESSAGE("skipped: prometheus is not installed"); }
#endif

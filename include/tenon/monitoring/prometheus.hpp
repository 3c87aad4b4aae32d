// SPDX-License-Identifier: BSL-1.0
// Prometheus: a callback that serves what a run is doing at http://address:port/metrics, for Prometheus to collect and
// Grafana to draw (docs/deploy/ has a dashboard).
//
//     monitoring::Prometheus metrics{{.port = 9464}};
//     trainer.fit(dataset.train, {.epochs = 5}, metrics);
#pragma once

#include <tenon/core/error.hpp>
#include <tenon/training/history.hpp>
#include <tenon/training/run.hpp>

#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tenon::inline TENON_ISA::monitoring {

// Where and how the metrics are served.
struct PrometheusOptions {
    // Where to listen: this machine alone, or "0.0.0.0" for all of its addresses.
    std::string address = "127.0.0.1";
    int port = 0;  // 0: any free one, which port() tells
    // On every metric: {{"run", "fashion-mnist"}, {"rank", std::to_string(mpi.rank())}}
    std::map<std::string, std::string> labels = {};
    // Upper bounds of the histogram of step times, in seconds, rising.
    std::vector<double> step_buckets = {1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01,
                                        0.02, 0.05, 0.1,  0.2,  0.5,  1,    2,    5,    10,   60};
};

// The metrics; all begin with tenon_, and each appears with its first value:
//     loss, accuracy                       of the last step's rows, those of all ranks together
//     epoch, steps_total, samples_total    where the run is
//     samples_per_second                   of the last step
//     step_seconds                         histogram, of this rank: rows gathered, passes, gradients exchanged, update
//     learning_rate                        of the last step, schedules and callbacks included
//     gradient_norm                        before clipping, where the Trainer has ClipNorm (of an infinite limit, to
//                                          measure only)
//     thread_busy_ratio                    of this rank: share of their time that its threads work, in [0, 1]; of one
//                                          step out of 16
//     epoch_loss, epoch_accuracy           {set="training"} and {set="validation"}, of the last epoch
//     epoch_seconds                        of the last epoch, without its validation
//     last_step_timestamp_seconds          since 1970: alerts see by it that a run hangs
//
// One object serves one process, from its construction until it is destroyed, any number of fits; two threads of
// their own answer requests. Throws Error where the port cannot be had.
class Prometheus {
public:
    static constexpr bool measures_threads = true;

    explicit Prometheus(PrometheusOptions options = {})
        : options_{std::move(options)}, registry_{std::make_shared<::prometheus::Registry>()}
    {
        const std::string address = options_.address + ':' + std::to_string(options_.port);
        try {
            exposer_ = std::make_unique<::prometheus::Exposer>(address);
        } catch (const std::exception&) {
            throw Error(sentence("tenon: Prometheus: cannot listen on ", address,
                                 ": is the port taken, and the address this machine's?"));
        }
        exposer_->RegisterCollectable(registry_);
        step_seconds_ = &::prometheus::BuildHistogram()
                             .Name("tenon_step_seconds")
                             .Help("Time of an optimiser step")
                             .Labels(options_.labels)
                             .Register(*registry_)
                             .Add({}, options_.step_buckets);
        steps_ = counter("tenon_steps_total", "Optimiser steps");
        samples_ = counter("tenon_samples_total", "Rows trained on, all ranks together");
    }
    Prometheus(const Prometheus&) = delete;
    Prometheus& operator=(const Prometheus&) = delete;

    int port() const { return exposer_->GetListeningPorts().front(); }
    std::string url() const
    {
        return "http://" + (options_.address == "0.0.0.0" ? "localhost" : options_.address) + ':' +
               std::to_string(port()) + "/metrics";
    }

    void step(const StepInfo& info)
    {
        steps_->Increment();
        samples_->Increment(static_cast<double>(info.rows));
        step_seconds_->Observe(info.seconds);
        set(epoch_, "tenon_epoch", "Epoch that is being trained, from 1", info.epoch);
        set(loss_, "tenon_loss", "Mean loss of the last step's rows", info.loss);
        set(accuracy_, "tenon_accuracy", "Accuracy of the last step's rows", info.accuracy);
        set(speed_, "tenon_samples_per_second", "Rows per second of the last step",
            static_cast<double>(info.rows) / info.seconds);
        set(rate_, "tenon_learning_rate", "Learning rate of the last step", info.learning_rate);
        set(norm_, "tenon_gradient_norm", "Norm of all gradients of the last step, before clipping",
            info.gradient_norm);
        set(busy_, "tenon_thread_busy_ratio", "Share of their time that threads work", info.busy_share);
        set(time_, "tenon_last_step_timestamp_seconds", "End of the last step, since 1970",
            std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
    }

    void operator()(const Epoch& epoch)
    {
        set(epoch_loss_[0], "tenon_epoch_loss", "Mean loss of the last epoch", epoch.training.loss, "training");
        set(epoch_loss_[1], "tenon_epoch_loss", "Mean loss of the last epoch", epoch.validation.loss, "validation");
        set(epoch_accuracy_[0], "tenon_epoch_accuracy", "Accuracy of the last epoch", epoch.training.accuracy,
            "training");
        set(epoch_accuracy_[1], "tenon_epoch_accuracy", "Accuracy of the last epoch", epoch.validation.accuracy,
            "validation");
        set(epoch_seconds_, "tenon_epoch_seconds", "Duration of the last epoch, without its validation", epoch.seconds);
    }

private:
    using Gauge = ::prometheus::Gauge;

    ::prometheus::Counter* counter(const char* name, const char* help)
    {
        return &::prometheus::BuildCounter().Name(name).Help(help).Labels(options_.labels).Register(*registry_).Add({});
    }

    // A value that there is not is NaN, and never shown.
    void set(Gauge*& gauge, const char* name, const char* help, double value, const char* of_set = nullptr)
    {
        if (gauge == nullptr) {
            if (std::isnan(value)) return;
            auto& family =
                ::prometheus::BuildGauge().Name(name).Help(help).Labels(options_.labels).Register(*registry_);
            gauge = of_set == nullptr ? &family.Add({}) : &family.Add({{"set", of_set}});
        }
        // The last one measured stays, between the steps that are.
        if (!std::isnan(value)) gauge->Set(value);
    }

    PrometheusOptions options_;
    std::shared_ptr<::prometheus::Registry> registry_;
    std::unique_ptr<::prometheus::Exposer> exposer_;
    ::prometheus::Counter* steps_ = nullptr;
    ::prometheus::Counter* samples_ = nullptr;
    ::prometheus::Histogram* step_seconds_ = nullptr;
    Gauge* epoch_ = nullptr;
    Gauge* loss_ = nullptr;
    Gauge* accuracy_ = nullptr;
    Gauge* speed_ = nullptr;
    Gauge* rate_ = nullptr;
    Gauge* norm_ = nullptr;
    Gauge* busy_ = nullptr;
    Gauge* time_ = nullptr;
    Gauge* epoch_loss_[2] = {};
    Gauge* epoch_accuracy_[2] = {};
    Gauge* epoch_seconds_ = nullptr;
};

}  // namespace tenon::inline TENON_ISA::monitoring

// SPDX-License-Identifier: BSL-1.0
// Trainer: a model, a loss and an optimiser; fit runs epochs over a dataset, step takes one batch.
#pragma once

#include <tenon/core/error.hpp>
#include <tenon/core/pruned.hpp>
#include <tenon/parallel/busy_team.hpp>
#include <tenon/parallel/faster_team.hpp>
#include <tenon/parallel/thread_pool.hpp>
#include <tenon/passes/training.hpp>
#include <tenon/training/callbacks.hpp>
#include <tenon/training/evaluate.hpp>
#include <tenon/training/exchange.hpp>
#include <tenon/training/gather_gradients.hpp>
#include <tenon/training/loss_state.hpp>
#include <tenon/training/modifiers.hpp>
#include <tenon/training/progress.hpp>
#include <tenon/training/run.hpp>
#include <tenon/training/slot_update.hpp>
#include <tenon/training/update_gradients.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <tuple>
#include <variant>

namespace tenon::inline TENON_ISA {

// How fit runs. The designated form reads as in Keras: {.epochs = 5, .batch_size = 32, .validation = &dataset.test}.
template <class D>
struct FitOptions {
    int epochs = 1;
    int batch_size = 32;            // the last batch of an epoch may be smaller
    const D* validation = nullptr;  // evaluated after each epoch
    // At most; 0: as many as the machine has cores. Any number gives the same bits. Steps too small to be shared are left to one.
    int threads = 1;
    // The learning rate's factor for the t-th step of the run (0-based); none: constant.
    std::function<double(std::uint64_t)> schedule = {};
    Progress progress = Progress::automatic;
    bool shuffle = true;  // a new order each epoch, by (seed, epoch)
    Seed seed{0x5eed};
    // Threads of the caller's own, in the place of `threads`.
    Team team = {};
    // What a row's loss is multiplied with in training, by its label, and by its number in the dataset; empty: 1. The batch's
    // loss stays the sum over the rows divided by their number, as in Keras. Validation does not weigh.
    std::vector<double> class_weights = {};
    std::span<const float> sample_weights = {};
};

namespace detail {

// An optimiser inside those that modifiers put around it.
template <class Optimizer>
Optimizer wrapped(Optimizer optimizer)
{
    return optimizer;
}
template <class Optimizer, class M, class... More>
auto wrapped(Optimizer optimizer, const M& modifier, const More&... more)
{
    if constexpr (requires { modifier.wrap(optimizer); })
        return wrapped(modifier.wrap(optimizer), more...);
    else
        return wrapped(optimizer, more...);
}

// Whether a modifier keeps an average of the weights.
template <class M>
constexpr bool averages()
{
    if constexpr (requires { M::averages; })
        return M::averages;
    else
        return false;
}

// Rows of targets behind each other: one label, or as many values as the network has outputs.
template <class Target, class Output>
inline constexpr std::size_t target_stride = std::is_integral_v<Target> ? 1 : Output::size;

}  // namespace detail

// modifiers: training/modifiers.hpp
template <class Net, class P, class Loss, class Optimizer, class... Modifiers>
class Trainer {
    // The processes that train together: Alone, or a modifier that connects them.
    using Exchange = typename detail::ExchangeOf<Modifiers...>::type;
    static constexpr bool alone = !Exchange::exchanges;

    using Stepper = decltype(detail::wrapped(std::declval<Optimizer>(), std::declval<const Modifiers&>()...));

public:
    using T = typename P::scalar;

    // Whether a step stores all gradients before it moves a weight. Otherwise each weight moves as its gradient is made.
    static constexpr bool stores_gradients = needs_whole_slots<Optimizer>() ||
                                             detail::MovesMatrices<Optimizer, Net, T> ||
                                             (false || ... || detail::stores_gradients<Modifiers>());

    // Throws Error where a modifier does not fit the network.
    Trainer(Model<Net, P>& model, Loss loss, Optimizer optimizer, Modifiers... modifiers)
        : model_{&model},
          loss_{std::move(loss)},
          optimizer_{std::move(optimizer)},
          stepper_{detail::wrapped(optimizer_, modifiers...)},
          modifiers_{std::move(modifiers)...}
    {
        // A loss that cannot take the network's output says so here, before anything is trained.
        [[maybe_unused]] constexpr bool asked = loss_fits;
        [[maybe_unused]] constexpr bool one_exchange = checked<detail::OneExchange<Modifiers...>>::value;
        if constexpr (stores_gradients && Net::valid) {
            const auto& slots = Parameters<Net, P>::slots();
            plan_.slots = {slots.begin(), slots.size()};
            plan_.of_slot.resize(slots.size());
            std::apply([&](const auto&... each) { (configure(each), ...); }, modifiers_);
        }
    }

    // One optimiser step on one batch. inputs: (rows, input), targets: (rows, …) as the loss takes them.
    // Returns the batch's mean loss, before the step; `correct`, if given, is increased by the rows classified right.
    // With an exchange (training/exchange.hpp) the rows of all ranks are one batch, and each rank calls it with its own.
    template <class Target>
    double step(std::size_t rows, const T* inputs, const Target* targets, std::size_t* correct = nullptr,
                double learning_rate_factor = 1.0)
    {
        if constexpr (Net::valid && loss_fits) {
            if constexpr (!alone) {
                // Rows of the ranks before this one and of all of them, then loss and rows classified right.
                double sums[4] = {};
                std::vector<double> of_rank(exchange().ranks());
                of_rank[exchange().rank()] = static_cast<double>(rows);
                exchange().sum(of_rank.data(), of_rank.size());
                for (std::size_t r = 0; r < of_rank.size(); ++r) {
                    if (r < exchange().rank()) sums[0] += of_rank[r];
                    sums[1] += of_rank[r];
                }
                if (sums[1] == 0.0) return 0.0;
                std::size_t right = 0;
                const Pass pass{static_cast<std::size_t>(sums[0]), false, {}};
                sums[2] = static_cast<double>(rows) * gather(rows, inputs, targets,
                                                             detail::target_stride<Target, Output>, nullptr,
                                                             static_cast<std::size_t>(sums[1]), &right, pass);
                sums[3] = static_cast<double>(right);
                gathered_ = rows;
                update(learning_rate_factor);
                exchange().sum(sums + 2, 2);
                if (correct != nullptr) *correct += static_cast<std::size_t>(sums[3]);
                return sums[2] / sums[1];
            }
            if (rows == 0) return 0.0;
            if constexpr (stores_gradients) {
                gathered_ = 0;
                const double loss = accumulate(rows, inputs, targets, rows, correct);
                update(learning_rate_factor);
                return loss;
            } else {
                return fused_step(rows, inputs, targets, detail::target_stride<Target, Output>, nullptr, correct,
                                  learning_rate_factor);
            }
        } else {
            return 0.0;
        }
    }

    // For loops of your own: the gradient of one batch, added to those before it since the last update(); together they are
    // `step_rows` rows, those of other ranks included. Returns the mean loss of this batch's rows.
    template <class Target>
    double accumulate(std::size_t rows, const T* inputs, const Target* targets, std::size_t step_rows,
                      std::size_t* correct = nullptr) requires stores_gradients
    {
        const double loss = gather(rows, inputs, targets, detail::target_stride<Target, Output>, nullptr, step_rows,
                                   correct, {gathered_ + exchange().rank() * step_rows, gathered_ != 0, {}});
        gathered_ += rows;
        return loss;
    }

    // The optimiser step that follows.
    void update(double learning_rate_factor = 1.0) requires stores_gradients
    {
        if constexpr (Net::valid && loss_fits) {
            reserve_moments();
            if constexpr (!alone) add_over_ranks();
            std::apply([&](auto&... each) { (reduce(each), ...); }, modifiers_);
            ++steps_;
            static_assert(alone || !decltype(loss_state_)::learns,
                          "tenon: a loss with values of its own to learn trains in one process.");
            loss_state_.update(team_, stepper_, steps_, learning_rate_factor);
            gradient_norm_ = detail::update_slots(team_, stepper_, steps_, learning_rate_factor, plan_, update_blocks(),
                                                  total_.data(), matrices_);
            gathered_ = 0;
            tell_modifiers();
        }
    }

    // Epochs over a dataset or a stream (data/stream.hpp). Callbacks (training/callbacks.hpp) are called after each epoch, and
    // some while it runs. Throws Error for options out of range or a loss that is no longer a number.
    template <data::Readable D, class... Callbacks>
    History fit(const D& dataset, std::type_identity_t<FitOptions<D>> options = {}, Callbacks&&... callbacks)
    {
        if constexpr (checked<detail::DatasetFits<Net, D>>::value && Net::valid && loss_fits) {
            if constexpr (!alone) {
                try {
                    check(options, dataset);
                    const Threads running{*this, options, measures_threads<Callbacks...>()};
                    return Fit<D, Callbacks...>{*this, dataset, options, callbacks...}.run();
                } catch (const std::exception& failure) {
                    exchange().failed(failure.what());
                    throw;
                }
            }
            check(options, dataset);
            const Threads running{*this, options, measures_threads<Callbacks...>()};
            return Fit<D, Callbacks...>{*this, dataset, options, callbacks...}.run();
        } else {
            return {};
        }
    }

    // A model with the moving average of the weights (AverageWeights), and the running statistics of the trained one. Pruned
    // weights are pruned in both.
    Model<Net, P> average() const requires(detail::averages<Modifiers>() || ...)
    {
        Parameters<Net, P> result = model_->parameters();
        if (steps_ > 0)
            for (std::size_t s = 0; s < result.slots().size(); ++s) {
                const SlotInfo& slot = result.slots()[s];
                if (slot.role != Role::learned || (!plan_.of_slot.empty() && plan_.of_slot[s].rate == 0)) continue;
                const T* from = moments_[average_moment()].data() + slot.offset;
                for (std::size_t i = 0; i < slot.storage; ++i)
                    if (T& value = result.data()[slot.offset + i]; !is_pruned(value)) value = from[i];
            }
        return Model<Net, P>{std::move(result)};
    }

    Model<Net, P>& model() { return *model_; }
    const Loss& loss() const { return loss_; }
    const Optimizer& optimizer() const { return optimizer_; }
    std::uint64_t steps() const { return steps_; }
    // Of all gradients of the last step, before they were clipped; NaN without ClipNorm.
    double gradient_norm() const { return gradient_norm_; }

private:
    using Chain = training_chain<Loss, typename Net::chain>;
    using Output = typename Chain::output;

    using LossChain = loss_input_chain<Loss, typename Net::chain>;

    static constexpr bool loss_fits = [] {
        if constexpr (takes_output<Loss, Output>()) return detail::loss_state_fits<Loss, LossChain, P>();
        return false;
    }();

    template <class D, class... Callbacks>
    class Fit;

    template <class M>
    void configure(const M& modifier)
    {
        if constexpr (requires { modifier.template configure_for<Net, T>(plan_); })
            modifier.template configure_for<Net, T>(plan_);
        else if constexpr (requires { modifier.configure(plan_); })
            modifier.configure(plan_);
    }

    template <class M>
    void reduce(M& modifier)
    {
        if constexpr (requires { modifier.reduce(total_.data(), total_.size()); })
            modifier.reduce(total_.data(), total_.size());
    }

    // That a step is done.
    void tell_modifiers()
    {
        std::apply([&](auto&... each) { (stepped(each), ...); }, modifiers_);
    }
    template <class M>
    void stepped(M& modifier)
    {
        if constexpr (requires { modifier.stepped(model_->parameters(), steps_); })
            modifier.stepped(model_->parameters(), steps_);
    }

    Exchange& exchange()
    {
        if constexpr (alone) {
            static Alone none;
            return none;
        } else {
            return std::get<Exchange>(modifiers_);
        }
    }

    // What ranks add up: gradients, from the first layer that learns, and behind them the running statistics.
    T* shared_block() { return total_.data() + first_trained(); }
    std::size_t shared_size() const { return total_.size() - first_trained(); }
    static constexpr std::size_t statistics_size = Parameters<Net, P>::storage - Parameters<Net, P>::learned;
    T* statistics() { return model_->parameters().data() + Parameters<Net, P>::learned; }

    void reserve_total()
    {
        if (total_.size() == 0)
            total_ = AlignedBuffer<T>{alone ? Parameters<Net, P>::learned : Parameters<Net, P>::storage};
    }
    // A share without rows.
    void clear_total()
    {
        reserve_total();
        for (std::size_t i = 0; i < total_.size(); ++i) total_[i] = T{0};
    }
    // The running statistics that a share has moved, to be added up as well.
    void append_statistics()
    {
        for (std::size_t i = 0; i < statistics_size; ++i) total_[Parameters<Net, P>::learned + i] = statistics()[i];
    }
    // The gradient of the whole step on each rank, and the mean of the shares' statistics, of ranges the widest.
    void add_over_ranks()
    {
        if (gathered_ == 0) clear_total();
        append_statistics();
        if (gathered_ != 0 && !ranges_.any()) ranges_.widen(statistics());  // fit has, share by share
        const std::size_t shares = exchange().combine(shared_block(), shared_size());
        for (std::size_t i = 0; i < statistics_size; ++i)
            statistics()[i] = total_[Parameters<Net, P>::learned + i] / static_cast<T>(shares);
        ranges_.join(exchange(), statistics());
    }

    // The average's place among the moments: those of wrappers inside it come first, none outside it has any.
    static constexpr std::size_t average_moment() { return Stepper::moments - 1; }

    // Forward pass and loss; the tape then holds the gradient of (Σ row losses) / step_rows at the output.
    // weights: what each row's loss is multiplied with, or null; first: of the batches of a step. Returns the sum.
    template <class Target>
    double forward(std::size_t rows, const T* inputs, const Target* targets, std::size_t stride, const float* weights,
                   std::size_t step_rows, std::size_t* correct, const TrainingContext<T>& context, bool first)
    {
        train_forward(rows, static_cast<const T*>(model_->parameters().data()), inputs, *tape_, context);
        const T scale = static_cast<T>(1.0 / static_cast<double>(step_rows));
        const T* y = tape_->output();
        const T* tapped[Net::layer_count + 1] = {};
        find_tapped<Chain>(rows, inputs, y, context, tapped);
        const LossRows<T> batch{.rows = rows,
                                .inputs = inputs,
                                .outputs = y,
                                .tapped = tapped,
                                .team = team_,
                                .target_stride = stride,
                                .weights = weights,
                                .dataset = dataset_,
                                .numbers = row_numbers_,
                                .first = first};
        const double total = loss_state_.loss(loss_, batch, targets, tape_->output_gradient(), scale);
        if (correct != nullptr) *correct += count_correct<Loss, Output>(rows, y, targets);
        return total;
    }

    // first_row: the rows' place in the step.
    TrainingContext<T> context(std::size_t first_row)
    {
        TrainingContext<T> result = tape_->context(seed_, steps_ + 1);
        result.first_row = first_row;
        result.statistics = blocks_of<Chain>(model_->parameters().data()).statistics;
        return result;
    }

    template <class Target>
    double fused_step(std::size_t rows, const T* inputs, const Target* targets, std::size_t stride,
                      const float* weights, std::size_t* correct, double learning_rate_factor)
    {
        reserve(rows);
        const TrainingContext<T> now = context(0);
        const double total = forward(rows, inputs, targets, stride, weights, rows, correct, now, true);
        ++steps_;
        const auto update = optimizer_step<T>(stepper_, steps_, learning_rate_factor);
        train_backward(rows, static_cast<const T*>(model_->parameters().data()),
                       UpdateGradients<T, std::remove_const_t<decltype(update)>, Stepper::moments>{
                           gradients_.data(), update_blocks(), update},
                       inputs, *tape_, now, static_cast<T*>(nullptr), loss_state_.gradients());
        loss_state_.update(team_, stepper_, steps_, learning_rate_factor);
        tell_modifiers();
        return total / static_cast<double>(rows);
    }

    // One pass of the several that may make a step.
    struct Pass {
        std::size_t first_row;  // its rows' place among those of the step
        bool add;               // to the gradients that are there
        GradientsReady ready;
    };

    template <class Target>
    double gather(std::size_t rows, const T* inputs, const Target* targets, std::size_t stride, const float* weights,
                  std::size_t step_rows, std::size_t* correct, const Pass& pass)
    {
        if constexpr (Net::valid && loss_fits) {
            if (rows == 0) return 0.0;
            reserve(rows);
            reserve_total();
            const TrainingContext<T> now = context(pass.first_row);
            const double loss = forward(rows, inputs, targets, stride, weights, step_rows, correct, now, !pass.add);
            train_backward(rows, static_cast<const T*>(model_->parameters().data()),
                           GatherGradients<T>{gradients_.data(), total_.data(), total_.data() + first_trained(),
                                              pass.add, pass.ready},
                           inputs, *tape_, now, static_cast<T*>(nullptr), loss_state_.gradients());
            return loss / static_cast<double>(rows);
        } else {
            return 0.0;
        }
    }

    // Where the first slot that learns begins, in the order of the layers.
    std::size_t first_trained() const
    {
        std::size_t first = Parameters<Net, P>::learned;
        for (std::size_t s = 0; s < plan_.slots.size(); ++s)
            if (plan_.slots[s].role == Role::learned && plan_.of_slot[s].rate != 0)
                first = std::min(first, plan_.slots[s].offset);
        return first;
    }

    UpdateBlocks<T, Stepper::moments> update_blocks()
    {
        UpdateBlocks<T, Stepper::moments> blocks{model_->parameters().data(), {}};
        for (std::size_t i = 0; i < Stepper::moments; ++i) blocks.moments[i] = moments_[i].data();
        return blocks;
    }

    void reserve(std::size_t rows)
    {
        if (tape_.has_value() && tape_->rows() >= rows) return;
        tape_.emplace(rows, team_);
        reserve_moments();
    }

    void reserve_moments()
    {
        if (gradients_.size() != 0) return;
        gradients_ = AlignedBuffer<T>{Parameters<Net, P>::learned};
        for (AlignedBuffer<T>& moment : moments_) moment = AlignedBuffer<T>{Parameters<Net, P>::learned};
    }

    template <class D>
    static void check(const FitOptions<D>& options, const D& dataset)
    {
        if (dataset.size() == 0) throw Error("tenon: fit: the dataset is empty");
        if (options.epochs < 0) throw Error(sentence("tenon: fit: epochs is ", options.epochs, ", expected 0 or more"));
        if (options.batch_size < 1)
            throw Error(sentence("tenon: fit: batch_size is ", options.batch_size, ", expected 1 or more"));
        if (options.threads < 0)
            throw Error(sentence("tenon: fit: threads is ", options.threads, ", expected 0 (all cores) or more"));
        if (!options.sample_weights.empty() && options.sample_weights.size() != dataset.size())
            throw Error(sentence("tenon: fit: expected one sample weight for each of the ", dataset.size(),
                                 " rows, found ", options.sample_weights.size()));
        if (!options.class_weights.empty() && !std::is_integral_v<typename D::target_type>)
            throw Error("tenon: fit: class_weights need labels, and the dataset's targets are numbers");
    }

    [[noreturn]] static void diverged(int epoch, std::size_t step)
    {
        throw Error(sentence("tenon: fit: the loss is not a finite number in epoch ", epoch, ", step ", step,
                             ": lower the learning rate or look for NaN in the data"));
    }

    // Whether one of the callbacks wants StepInfo::busy_share.
    template <class... Callbacks>
    static constexpr bool measures_threads()
    {
        [[maybe_unused]] const auto asks = []<class C>(std::type_identity<C>) {
            if constexpr (requires { C::measures_threads; })
                return C::measures_threads;
            else
                return false;
        };
        return (asks(std::type_identity<std::remove_cvref_t<Callbacks>>{}) || ...);
    }

    // The threads of one fit: started at its beginning, joined at its end, however it ends. A tape is planned for a number
    // of threads, so it goes with them.
    class Threads {
    public:
        template <class D>
        Threads(Trainer& trainer, const FitOptions<D>& options, bool measure) : trainer_{trainer}
        {
            if (options.team.threads > 1) {
                trainer_.team_ = options.team;
            } else if (options.threads != 1) {
                pool_.emplace(static_cast<std::size_t>(options.threads));
                trainer_.team_ = pool_->team();
                if (trainer_.team_.threads > 1) {
                    faster_.emplace(trainer_.team_);
                    trainer_.team_ = faster_->team();
                    trainer_.faster_ = &*faster_;
                }
            }
            if (measure && trainer_.team_.threads > 1) {
                busy_.emplace(trainer_.team_);
                trainer_.team_ = busy_->team();
                trainer_.busy_ = &*busy_;
            }
            trainer_.tape_.reset();
            trainer_.gathered_ = 0;
        }
        Threads(const Threads&) = delete;
        Threads& operator=(const Threads&) = delete;
        ~Threads()
        {
            trainer_.team_ = Team{};
            trainer_.busy_ = nullptr;
            trainer_.faster_ = nullptr;
            trainer_.tape_.reset();
            trainer_.dataset_ = nullptr;
            trainer_.row_numbers_ = nullptr;
        }

    private:
        Trainer& trainer_;
        std::optional<ThreadPool> pool_;
        std::optional<FasterTeam> faster_;
        std::optional<BusyTeam> busy_;
    };

    Model<Net, P>* model_;
    Loss loss_;
    Optimizer optimizer_;
    Stepper stepper_;
    std::tuple<Modifiers...> modifiers_;
    UpdatePlan plan_{};
    Team team_{};
    BusyTeam* busy_ = nullptr;      // around the threads, where a callback wants to know
    FasterTeam* faster_ = nullptr;  // around threads of a fit's own
    Seed seed_{0x5eed};
    std::uint64_t steps_ = 0;
    std::uint64_t epochs_ = 0;  // trained
    std::size_t gathered_ = 0;  // rows of this rank since the last update
    // Of a fit's batch: where its rows come from.
    const void* dataset_ = nullptr;
    const std::uint32_t* row_numbers_ = nullptr;
    [[no_unique_address]] loss_state<Loss, LossChain, P, loss_fits && Net::valid> loss_state_{};
    [[no_unique_address]] std::conditional_t<alone, detail::NoRanges, detail::SharedRanges<Net, T>> ranges_{};
    [[no_unique_address]] typename detail::MatricesOf<Optimizer, Net, T>::type matrices_{};
    double gradient_norm_ = std::numeric_limits<double>::quiet_NaN();
    std::optional<Tape<Chain, T>> tape_;
    AlignedBuffer<T> gradients_;
    AlignedBuffer<T> total_;
    AlignedBuffer<T> moments_[Stepper::moments == 0 ? 1 : Stepper::moments];
};

template <class Net, class P, class Loss, class Optimizer, class... Modifiers>
Trainer(Model<Net, P>&, Loss, Optimizer, Modifiers...) -> Trainer<Net, P, Loss, Optimizer, Modifiers...>;

// One fit: its place in the data, its sums, its history. All of it can be written down and taken up again.
template <class Net, class P, class Loss, class Optimizer, class... Modifiers>
template <class D, class... Callbacks>
class Trainer<Net, P, Loss, Optimizer, Modifiers...>::Fit final : public Run {
public:
    Fit(Trainer& trainer, const D& dataset, const FitOptions<D>& options, Callbacks&... callbacks)
        : trainer_{trainer},
          dataset_{dataset},
          options_{options},
          callbacks_{callbacks...},
          shares_{shares(trainer, dataset.size(), static_cast<std::size_t>(options.batch_size))},
          order_(streamed ? shares_.most_rows() : dataset.size()),
          targets_(shares_.most_rows() * D::target_size)
    {
        if (weighs()) weights_.resize(shares_.most_rows());
        if constexpr (!alone) sums_.resize(2 * trainer.exchange().shares());
    }

    History run()
    {
        trainer_.reserve(shares_.most_rows());
        trainer_.seed_ = options_.seed;
        each_callback([&](auto& callback) {
            if constexpr (requires { callback.begin(static_cast<Run&>(*this)); })
                callback.begin(static_cast<Run&>(*this));
        });
        trainer_.exchange().share(static_cast<Run&>(*this));
        ProgressReporter reporter{first_rank() ? options_.progress : Progress::silent, options_.epochs, shares_.rows()};
        bool trained = false;
        while (!finished()) {
            train_epoch(reporter);
            trained = true;
        }
        // A run that was over before it began has been written down already.
        if (trained) save();
        each_callback([&](auto& callback) {
            if constexpr (requires { callback.finish(*trainer_.model_); }) callback.finish(*trainer_.model_);
        });
        return history_;
    }

    int epoch() const override { return epoch_; }
    std::uint64_t steps() const override { return trainer_.steps_; }
    bool between_epochs() const override { return rows_ == 0; }
    bool finished() const override { return rows_ == 0 && (stopped_ || epoch_ > options_.epochs); }
    std::uint64_t topology() const override { return Net::hash; }

    void state(State& state) override
    {
        // What must agree comes first, before anything is overwritten.
        state.same("training/moments", "moments of the optimiser", Stepper::moments);
        state.same("training/dataset_rows", "rows of the dataset", shares_.rows());
        state.same("training/batch_rows", "rows of a batch", shares_.batch());
        state.same("training/batches_per_step", "batches to a step", trainer_.plan_.batches);
        state.same("training/seed", "the seed", options_.seed.value);
        state.same("training/shuffle", "shuffle (1: yes)", options_.shuffle);
        if constexpr (streamed) state.same("training/window", "rows of the stream's window", dataset_.window());
        trainer_.reserve_moments();
        auto& parameters = trainer_.model_->parameters();
        state.block("", parameters.slots(), parameters.data());
        for (std::size_t i = 0; i < Stepper::moments; ++i)
            state.block("moment_" + std::to_string(i + 1) + '/', parameters.slots(), trainer_.moments_[i].data(), true);
        state.value("training/steps", trainer_.steps_);
        state.value("training/orders", trainer_.epochs_);
        state.value("training/epoch", epoch_);
        state.value("training/rows", rows_);
        state.value("training/loss", loss_);
        state.value("training/correct", correct_);
        state.value("training/seconds", seconds_);
        state.value("training/stopped", stopped_);
        history_.state(state);
        if constexpr (decltype(trainer_.loss_state_)::keeps) {
            trainer_.loss_state_.keep(state);
            history_.state(state, trainer_.loss_state_.parts(false));
        }
        std::size_t number = 0;
        const auto keep = [&](auto& callback) {
            const std::string name = "callback_" + std::to_string(++number) + '/';
            if constexpr (requires { callback.state(state, name, *trainer_.model_); })
                callback.state(state, name, *trainer_.model_);
            else if constexpr (requires { callback.state(state, name); })
                callback.state(state, name);
        };
        std::apply([&](auto&... each) { (keep(each), ...); }, callbacks_);
    }

    std::vector<std::pair<std::string, std::string>> hyperparameters() const override
    {
        std::vector<std::pair<std::string, std::string>> result;
        const auto number = [](double value) {
            char text[32];
            std::snprintf(text, sizeof text, "%.17g", value);
            double shorter = 0;
            for (int digits = 1; digits < 17; ++digits) {
                char rounded[32];
                std::snprintf(rounded, sizeof rounded, "%.*g", digits, value);
                if (std::sscanf(rounded, "%lf", &shorter) == 1 && shorter == value) return std::string(rounded);
            }
            return std::string(text);
        };
        const auto name = [](detail::NamePart part) { return std::string(part.data, part.size); };
        char hash[20];
        std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(Net::hash));
        result.emplace_back("network", hash);
        result.emplace_back("parameters", std::to_string(Net::parameter_count));
        result.emplace_back("loss", name(detail::type_identifier<Loss>()));
        result.emplace_back("optimizer", name(detail::type_identifier<Optimizer>()));
        if constexpr (requires { trainer_.optimizer_.options([](const char*, double) {}); })
            trainer_.optimizer_.options([&](const char* option, double value) {
                result.emplace_back(std::string("optimizer.") + option, number(value));
            });
        std::string modifiers;
        ((modifiers += (modifiers.empty() ? "" : ", ") + name(detail::type_identifier<Modifiers>())), ...);
        if (!modifiers.empty()) result.emplace_back("modifiers", modifiers);
        result.emplace_back("epochs", std::to_string(options_.epochs));
        result.emplace_back("batch_size", std::to_string(shares_.batch()));
        if (trainer_.plan_.batches != 1)
            result.emplace_back("batches_per_step", std::to_string(trainer_.plan_.batches));
        result.emplace_back("shuffle", options_.shuffle ? "true" : "false");
        result.emplace_back("seed", std::to_string(options_.seed.value));
        result.emplace_back("schedule", options_.schedule ? "yes" : "none");
        result.emplace_back("dataset_rows", std::to_string(shares_.rows()));
        if constexpr (streamed) result.emplace_back("window", std::to_string(dataset_.window()));
        if (!alone) result.emplace_back("ranks", std::to_string(trainer_.exchange().ranks()));
        if (!alone) result.emplace_back("shares", std::to_string(trainer_.exchange().shares()));
        return result;
    }

private:
    template <class Callback>
    static constexpr bool watches = requires(Callback& callback, const StepInfo& info)
    {
        callback.step(info);
    }
    || requires(Callback& callback, const StepInfo& info, Model<Net, P>& model) { callback.step(info, model); };
    template <class Callback>
    static constexpr bool takes_part = watches<Callback> || requires(Callback& callback, Run& run)
    {
        callback.begin(run);
    }
    || requires(Callback& callback, Run& run) { callback.checkpoint(run); }
    || requires(Callback& callback, Model<Net, P>& model) { callback.finish(model); };

    // Callbacks that write files or print say that the first rank alone shall call them.
    template <class Callback>
    static constexpr bool only_on_first_rank()
    {
        if constexpr (requires { Callback::first_rank_only; })
            return Callback::first_rank_only;
        else
            return false;
    }

    template <class F>
    void each_callback(F&& f)
    {
        const auto on_this_rank = [&]<class Callback>(Callback& callback) {
            if (!only_on_first_rank<Callback>() || first_rank()) f(callback);
        };
        std::apply([&](auto&... each) { (on_this_rank(each), ...); }, callbacks_);
    }

    bool first_rank() const { return trainer_.exchange().rank() == 0; }

    static constexpr bool streamed = data::Streamed<D>;
    template <class Rows>
    struct ReaderOf {
        using type = std::monostate;
    };
    template <data::Streamed Rows>
    struct ReaderOf<Rows> {
        using type = decltype(std::declval<const Rows&>().start(std::declval<const data::StreamPass&>()));
    };

    static detail::Shares shares(Trainer& trainer, std::size_t rows, std::size_t batch)
    {
        auto& exchange = trainer.exchange();
        if (!exchange.own_rows()) return {rows, batch, trainer.plan_.batches, exchange.shares()};
        std::vector<double> sums(exchange.ranks());
        sums[exchange.rank()] = static_cast<double>(rows);
        exchange.sum(sums.data(), sums.size());
        return {{sums.begin(), sums.end()}, exchange.rank(), batch, trainer.plan_.batches};
    }

    bool weighs() const { return !options_.class_weights.empty() || !options_.sample_weights.empty(); }

    data::EpochDraw draw() const { return {options_.seed, trainer_.epochs_ + 1}; }

    // The order of an epoch whose first row is taken in that step.
    void begin_order(std::size_t step)
    {
        if constexpr (streamed) {
            if (step < shares_.steps())
                reader_.emplace(dataset_.start({.draw = draw(),
                                                .shuffle = options_.shuffle,
                                                .first_row = shares_.rows(step, 0, 0).first,
                                                .held_rows = shares_.most_step_rows()}));
        } else {
            std::iota(order_.begin(), order_.end(), std::uint32_t{0});
            if (options_.shuffle) Random{options_.seed, trainer_.epochs_ + 1}.shuffle(order_.data(), order_.size());
        }
    }

    // Rows [first, first + rows) of the order, into the tape.
    void gather(std::size_t first, std::size_t rows)
    {
        if constexpr (streamed) reader_->wait(first + rows);
        const data::EpochDraw epoch = draw();
        trainer_.team_.split(rows, least_rows, 1, [&](std::size_t begin, std::size_t end) {
            auto* inputs = trainer_.tape_->input() + begin * Net::input_shape::size;
            auto* targets = targets_.data() + begin * D::target_size;
            if constexpr (streamed)
                reader_->gather(first + begin, end - begin, inputs, targets, order_.data() + begin);
            else
                data::gather_rows(dataset_, std::span<const std::uint32_t>(order_.data() + first + begin, end - begin),
                                  inputs, targets, &epoch);
        });
        const std::uint32_t* numbers = order_.data() + (streamed ? 0 : first);
        trainer_.dataset_ = &dataset_;
        trainer_.row_numbers_ = numbers;
        if (!weighs()) return;
        for (std::size_t r = 0; r < rows; ++r) {
            double weight = options_.sample_weights.empty() ? 1.0
                                                            : static_cast<double>(options_.sample_weights[numbers[r]]);
            if constexpr (std::is_integral_v<typename D::target_type>)
                if (!options_.class_weights.empty()) {
                    const auto label = static_cast<std::size_t>(targets_[r * D::target_size]);
                    if (targets_[r * D::target_size] < 0 || label >= options_.class_weights.size())
                        throw Error(sentence("tenon: fit: class_weights has ", options_.class_weights.size(),
                                             " weights, and row ", numbers[r], " has the label ",
                                             targets_[r * D::target_size]));
                    weight *= options_.class_weights[label];
                }
            weights_[r] = static_cast<float>(weight);
        }
    }

    void train_epoch(ProgressReporter& reporter)
    {
        const auto start = std::chrono::steady_clock::now();
        const double before = seconds_;
        const auto elapsed = [&] {
            return before + std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        };
        reporter.begin_epoch(epoch_);
        const std::size_t first_step = shares_.step_at(static_cast<std::size_t>(rows_));
        begin_order(first_step);
        for (std::size_t step = first_step; step < shares_.steps(); ++step) {
            if constexpr (streamed) reader_->release(shares_.rows(step, 0, 0).first);
            const std::size_t step_rows = shares_.step_rows(step);
            double factor = options_.schedule ? options_.schedule(trainer_.steps_) : 1.0;
            each_callback([&](auto& callback) {
                if constexpr (requires { double{callback.rate_factor()}; }) factor *= callback.rate_factor();
            });
            const double loss_before = loss_;
            const std::uint64_t correct_before = correct_;
            const double started = told ? elapsed() : 0.0;
            const bool measured = told && trainer_.busy_ != nullptr && trainer_.steps_ % 16 == 0;
            if (measured) trainer_.busy_->start();
            if (trainer_.faster_ != nullptr) trainer_.faster_->start();
            take_step(step, factor);
            if (trainer_.faster_ != nullptr) trainer_.faster_->stop(step_rows);
            rows_ = shares_.rows_until(step + 1);
            reporter.update(static_cast<std::size_t>(rows_), loss_ / static_cast<double>(rows_),
                            accuracy(static_cast<std::size_t>(rows_)),
                            [&] { return trainer_.loss_state_.parts(false); });
            if constexpr (told) {
                StepInfo info;
                info.rows = step_rows;
                info.loss = (loss_ - loss_before) / static_cast<double>(step_rows);
                info.accuracy = accuracy_of<Loss, Output, typename D::target_type>(
                    static_cast<std::size_t>(correct_ - correct_before), step_rows);
                info.rate_factor = factor;
                if (measured)
                    info.busy_share = trainer_.busy_->stop();
                else if (measures_threads<Callbacks...>() && trainer_.busy_ == nullptr)
                    info.busy_share = 1.0;
                info.seconds = elapsed() - started;
                tell(info);
            }
            seconds_ = elapsed();
            save();
        }
        reader_.reset();
        Epoch epoch{};
        epoch.number = epoch_;
        const auto count = static_cast<double>(shares_.rows());
        epoch.training.loss = loss_ / count;
        epoch.training.accuracy = accuracy(shares_.rows());
        epoch.parts = trainer_.loss_state_.parts(true);
        epoch.seconds = first_rank() ? elapsed() : 0.0;
        trainer_.exchange().sum(&epoch.seconds, 1);
        epoch.samples_per_second = count / epoch.seconds;
        if (options_.validation != nullptr)
            epoch.validation = detail::evaluate_shared(
                *trainer_.model_, *options_.validation, trainer_.loss_,
                trainer_.faster_ != nullptr ? trainer_.faster_->all() : trainer_.team_, trainer_.exchange());
        reporter.end_epoch(epoch, options_.validation != nullptr);
        history_.push_back(epoch);
        ++trainer_.epochs_;
        each_callback([&](auto& callback) { call(callback, epoch); });
        if constexpr (!alone) {
            trainer_.exchange().compare(trainer_.model_->parameters().fingerprint());
            // All stop, or none.
            double stops = stopped_ ? 1.0 : 0.0;
            trainer_.exchange().sum(&stops, 1);
            stopped_ = stops != 0;
        }
        ++epoch_;
        rows_ = correct_ = 0;
        loss_ = seconds_ = 0.0;
        if (!finished()) save();
    }

    // The batches of one optimiser step, and of each the shares of this rank.
    void take_step(std::size_t step, double factor)
    {
        if constexpr (alone) {
            const std::size_t step_rows = shares_.step_rows(step), batches = shares_.batches(step);
            std::size_t correct = 0;
            for (std::size_t batch = 0; batch < batches; ++batch) {
                const detail::Shares::Rows part = shares_.rows(step, batch, 0);
                loss_ += pass(part, step_rows, factor, &correct, {part.place, batch != 0, {}});
                if (!std::isfinite(loss_)) diverged(epoch_, step * trainer_.plan_.batches + batch);
            }
            correct_ += correct;
        } else {
            take_shares(step, factor);
        }
        if constexpr (stores_gradients) trainer_.update(factor);
    }

    void take_shares(std::size_t step, double factor)
    {
        Exchange& exchange = trainer_.exchange();
        const std::size_t step_rows = shares_.step_rows(step), batches = shares_.batches(step);
        const std::size_t first = exchange.first_share(), shares = exchange.shares();
        trainer_.reserve_total();
        // Each share moves the running statistics from where the step found them.
        if (exchange.end_share() - first > 1)
            statistics_.assign(trainer_.statistics(), trainer_.statistics() + Trainer::statistics_size);
        std::fill(sums_.begin(), sums_.end(), 0.0);
        for (std::size_t share = first; share < exchange.end_share(); ++share) {
            if (share != first) std::copy(statistics_.begin(), statistics_.end(), trainer_.statistics());
            std::size_t rows = 0, correct = 0;
            for (std::size_t batch = 0; batch < batches; ++batch) {
                const detail::Shares::Rows part = shares_.rows(step, batch, share);
                if (part.count == 0) continue;
                GradientsReady ready{};
                if (batch + 1 == batches && shares_.none_empty(step))
                    ready = exchange.watch(trainer_.shared_block(), trainer_.shared_size() - Trainer::statistics_size);
                sums_[share] += pass(part, step_rows, factor, &correct, {part.place, rows != 0, ready});
                rows += part.count;
            }
            sums_[shares + share] = static_cast<double>(correct);
            if (rows == 0) trainer_.clear_total();
            trainer_.append_statistics();
            if (rows != 0) trainer_.ranges_.widen(trainer_.statistics());
            exchange.add_share(trainer_.shared_block(), trainer_.shared_size());
            trainer_.gathered_ += rows;
        }
        exchange.sum(sums_.data(), sums_.size());
        for (std::size_t share = 0; share < shares; ++share) {
            loss_ += sums_[share];
            correct_ += static_cast<std::uint64_t>(sums_[shares + share]);
        }
        if (!std::isfinite(loss_)) diverged(epoch_, step);
    }

    // Forward and backward pass over some rows; the sum of their losses.
    double pass(const detail::Shares::Rows& part, std::size_t step_rows, double factor, std::size_t* correct,
                const typename Trainer::Pass& how)
    {
        const T* inputs = trainer_.tape_->input();
        const float* weights = weighs() ? weights_.data() : nullptr;
        gather(part.first, part.count);
        double mean = 0;
        if constexpr (stores_gradients)
            mean = trainer_.gather(part.count, inputs, targets_.data(), D::target_size, weights, step_rows, correct,
                                   how);
        else
            mean = trainer_.fused_step(part.count, inputs, targets_.data(), D::target_size, weights, correct, factor);
        return static_cast<double>(part.count) * mean;
    }

    double accuracy(std::size_t rows) const
    {
        return accuracy_of<Loss, Output, typename D::target_type>(static_cast<std::size_t>(correct_), rows);
    }

    static constexpr bool told = (watches<std::remove_reference_t<Callbacks>> || ...);

    void tell(StepInfo& info)
    {
        info.epoch = epoch_;
        info.number = trainer_.steps_;
        if constexpr (requires { double{trainer_.optimizer_.learning_rate}; })
            info.learning_rate = info.rate_factor * trainer_.optimizer_.learning_rate;
        info.gradient_norm = trainer_.gradient_norm_;
        each_callback([&](auto& callback) {
            if constexpr (requires { callback.step(info, *trainer_.model_); })
                callback.step(info, *trainer_.model_);
            else if constexpr (requires { callback.step(info); })
                callback.step(info);
        });
    }

    void save()
    {
        each_callback([&](auto& callback) {
            if constexpr (requires { callback.checkpoint(static_cast<Run&>(*this)); })
                callback.checkpoint(static_cast<Run&>(*this));
        });
    }

    template <class Callback>
    void call(Callback& callback, const Epoch& epoch)
    {
        const auto ask = [&](auto&&... arguments) {
            if constexpr (std::is_same_v<decltype(callback(arguments...)), After>)
                stopped_ = callback(arguments...) == After::stop || stopped_;
            else
                callback(arguments...);
        };
        if constexpr (requires { callback(epoch, *trainer_.model_); })
            ask(epoch, *trainer_.model_);
        else if constexpr (requires { callback(epoch); })
            ask(epoch);
        else
            static_assert(
                takes_part<Callback>,
                "tenon: a callback is called with (const Epoch&) or with (const Epoch&, Model&), or has a member "
                "step, begin, checkpoint or finish.");
    }

    Trainer& trainer_;
    const D& dataset_;
    const FitOptions<D>& options_;
    std::tuple<Callbacks&...> callbacks_;
    detail::Shares shares_;
    std::vector<std::uint32_t> order_;  // of the epoch's rows by number; of a stream, those of the batch
    std::vector<typename D::target_type> targets_;
    std::vector<float> weights_;
    std::vector<double> sums_;   // of each share: losses, then rows classified right
    std::vector<T> statistics_;  // before a step of several shares
    std::optional<typename ReaderOf<D>::type> reader_;

    int epoch_ = 1;
    std::uint64_t rows_ = 0;  // of the epoch, done
    double loss_ = 0.0;       // their sum
    std::uint64_t correct_ = 0;
    double seconds_ = 0.0;  // of the epoch
    bool stopped_ = false;
    History history_;
};

}  // namespace tenon

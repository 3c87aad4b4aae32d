// SPDX-License-Identifier: BSL-1.0
// skip_zeros: a pruned model for inference, with the zeros of its Dense layers gone.
#pragma once

#include <tenon/core/error.hpp>
#include <tenon/core/pruned.hpp>
#include <tenon/model/model.hpp>
#include <tenon/model/sparse.hpp>
#include <tenon/network/slot_names.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace tenon::inline TENON_ISA {

// Weights and tables, for any number of threads: SparseSession<SparseModel<Net>> runs them without allocation.
template <class Net, Prunable P = Float32>
class SparseModel {
public:
    using network = Net;
    using precision = P;
    using scalar = typename P::scalar;
    using chain = rewritten_chain<Purpose::inference, typename Net::chain>;

    // From `least` zeros in a layer on its zeros are skipped, and with fewer where at most two of each four inputs have weights and
    // the processor has a kernel for that (kernels/two_of_four.hpp). The sentence says what the layers have where none has so many.
    static Result<SparseModel> make(const Parameters<Net, P>& parameters,
                                    double least = kernels::sparse_pays_from<scalar>)
    {
        SparseModel model{parameters};
        std::string found;
        bool any = false;
        chain::for_each([&]<std::size_t I>() {
            using B = typename chain::template bound<I>;
            if constexpr (detail::may_skip<B, scalar>()) {
                const auto view = model.template view<I>();
                const detail::KernelValues<B, scalar> weight{view.template get<0>()};
                const double share = static_cast<double>(detail::count_zeros(weight)) /
                                     static_cast<double>(B::input::size * B::output::size);
                char text[64];
                std::snprintf(text, sizeof text, "%s%zu to %zu: %.1f %%", found.empty() ? "" : ", ", B::input::size,
                              B::output::size, 100 * share);
                found += text;
                if (share >= least) {
                    model.tables_[I].fill(view, weight);
                    any = true;
                } else if constexpr (kernels::fours_fit<scalar>(B::input::size)) {
                    if (kernels::is_two_of_four(B::input::size, B::output::size, weight)) {
                        model.tables_[I].fill_fours(view, weight);
                        any = true;
                    }
                }
            }
        });
        if (!any) {
            char text[128];
            std::snprintf(text, sizeof text,
                          "tenon: skip_zeros: no Dense layer has the zeros to be faster without them, %.0f %%; found ",
                          100 * least);
            return Failure{text + (found.empty() ? std::string("none that is large enough") : found)};
        }
        return model;
    }

    // One sample. The workspace is on the stack up to 64 KiB, on the heap beyond.
    template <class Sample>
        requires requires { typename Sample::shape; }
    auto predict(const Sample& input) const
    {
        using Running = SparseSession<SparseModel>;
        if constexpr (sizeof(Running) <= 65 * 1024)
            return Running{*this}.run(input);
        else
            return std::make_unique<Running>(*this)->run(input);
    }

    // For sessions: the weights of layer I of the network as it runs, and its table, or null.
    template <std::size_t I>
    auto view() const
    {
        return layer_view<chain, I>(blocks_of<chain>(parameters_.data()));
    }
    template <std::size_t I>
    const kernels::SparseMatrix<scalar>* of() const
    {
        return tables_[I].matrix.values == nullptr ? nullptr : &tables_[I].matrix;
    }
    // Bytes that all tables take, padding included.
    std::size_t table_bytes() const
    {
        std::size_t bytes = 0;
        for (const Table& table : tables_)
            bytes += (table.values.size() + table.bias.size()) * sizeof(scalar) + table.places.size() +
                     table.first.size() * 2 + table.ends.size() * 4 + table.fours.size() * 4;
        return bytes;
    }

private:
    struct Table {
        AlignedBuffer<scalar> values, bias;
        std::vector<std::uint8_t> places;
        std::vector<std::uint16_t> first;
        std::vector<std::uint32_t> ends, fours;
        kernels::SparseMatrix<scalar> matrix{};

        template <class B>
        void fill(ParameterView<B, const scalar> view, detail::KernelValues<B, scalar> weight)
        {
            constexpr std::size_t lanes = kernels::sparse_lanes<scalar>, panels = detail::sparse_panels<B, scalar>;
            // All weights may be zero; a table without a step would not be one.
            std::size_t steps = detail::count_sparse_steps(weight);
            if (steps == 0) steps = 1;
            values = AlignedBuffer<scalar>{steps * lanes};
            bias = AlignedBuffer<scalar>{panels * lanes};
            places.assign(steps * lanes, 0);
            first.assign(steps, 0);
            ends.assign(panels, 0);
            kernels::FillSparseSteps<scalar, detail::KernelValues<B, scalar>> sink{weight, values.data(), places.data(),
                                                                                   first.data(), ends.data()};
            kernels::each_sparse_step<scalar>(B::input::size, B::output::size, weight, sink);
            detail::copy_sparse_bias(view, bias.data());
            point();
        }
        template <class B>
        void fill_fours(ParameterView<B, const scalar> view, detail::KernelValues<B, scalar> weight)
        {
            constexpr std::size_t panels = detail::sparse_panels<B, scalar>, inputs = B::input::size;
            values = AlignedBuffer<scalar>{kernels::four_values<scalar>(inputs, panels)};
            bias = AlignedBuffer<scalar>{panels * kernels::sparse_lanes<scalar>};
            fours.assign(kernels::four_words<scalar>(inputs, panels), 0);
            kernels::fill_fours(inputs, B::output::size, weight, values.data(), fours.data());
            detail::copy_sparse_bias(view, bias.data());
            point();
        }
        void point()
        {
            if (values.size() == 0) return;
            matrix = {values.data(), places.data(), first.data(),
                      ends.data(),   bias.data(),   fours.empty() ? nullptr : fours.data()};
        }
    };

    explicit SparseModel(const Parameters<Net, P>& parameters) : parameters_{parameters}, tables_(chain::count) {}

public:
    SparseModel(const SparseModel& other) : parameters_{other.parameters_}, tables_{other.tables_}
    {
        for (Table& table : tables_) table.point();
    }
    SparseModel(SparseModel&&) noexcept = default;
    SparseModel& operator=(SparseModel other) noexcept
    {
        parameters_ = std::move(other.parameters_);
        tables_ = std::move(other.tables_);
        return *this;
    }
    ~SparseModel() = default;

private:
    Parameters<Net, P> parameters_;
    std::vector<Table> tables_;  // of each layer of the chain
};

// The model without the zeros of those Dense layers of its own list that have enough of them; `least` may say what is enough.
template <class Net, class P>
auto try_skip_zeros(const Model<Net, P>& model, double least = kernels::sparse_pays_from<typename P::scalar>)
{
    if constexpr (checked<CheckPrunable<P>>::value)
        return SparseModel<Net, P>::make(model.parameters(), least);
    else
        return Result<SparseModel<Net>>{Failure{}};
}

#if TENON_EXCEPTIONS
// As its try_ twin, throwing tenon::Error.
template <class Net, class P>
auto skip_zeros(const Model<Net, P>& model, double least = kernels::sparse_pays_from<typename P::scalar>)
{
    return try_skip_zeros(model, least).value_or_throw();
}
#endif

}  // namespace tenon

// SPDX-License-Identifier: BSL-1.0
// SkipZeros: frozen weights that are mostly zero, as tables without the zeros that the compiler makes, and a session that
// runs them. No heap.
#pragma once

#include <tenon/core/pruned.hpp>
#include <tenon/model/freeze_bits.hpp>
#include <tenon/model/session.hpp>
#include <tenon/passes/forward/sparse.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// The kernel of a bound Dense, weight by weight.
template <class B, class T>
struct KernelValues {
    const T* kernel;

    constexpr T operator()(std::size_t k, std::size_t n) const
    {
        using S = typename slots_type<B>::template slot<0>;
        return kernel[S::layout::template index<T, typename S::shape>(k * B::output::size + n)];
    }
};

template <class B, class T>
constexpr std::size_t count_zeros(KernelValues<B, T> weight)
{
    std::size_t zeros = 0;
    for (std::size_t k = 0; k < B::input::size; ++k)
        for (std::size_t n = 0; n < B::output::size; ++n) zeros += weight(k, n) == 0 ? 1 : 0;
    return zeros;
}

template <class B, class T>
constexpr std::size_t count_sparse_steps(KernelValues<B, T> weight)
{
    kernels::CountSparseSteps count;
    kernels::each_sparse_step<T>(B::input::size, B::output::size, weight, count);
    return count.steps;
}

// Whether a layer of the chain that runs may have such a table at all, whatever its weights are.
template <class B, class T>
constexpr bool may_skip()
{
    if constexpr (passes::SparseForm<typename B::layer>::is_dense)
        return kernels::sparse_fits<T>(B::input::size);
    else
        return false;
}

template <class B, class T>
inline constexpr std::size_t sparse_panels =
    (B::output::size + kernels::sparse_lanes<T> - 1) / kernels::sparse_lanes<T>;

// bias: (panels, lanes), zero before.
template <class B, class T>
constexpr void copy_sparse_bias(ParameterView<B, const T> parameters, T* bias)
{
    if constexpr (slots_type<B>::size == 2) {
        using S = typename slots_type<B>::template slot<1>;
        for (std::size_t n = 0; n < B::output::size; ++n)
            bias[n] = parameters.template get<1>()[S::layout::template index<T, typename S::shape>(n)];
    }
}

// A layer's table as a constant.
template <class T, std::size_t Steps, std::size_t Panels>
struct SparseTable {
    static constexpr std::size_t lanes = kernels::sparse_lanes<T>;

    alignas(workspace_alignment<T>) T values[(Steps == 0 ? 1 : Steps) * lanes];
    alignas(workspace_alignment<T>) T bias[Panels * lanes];
    std::uint32_t ends[Panels];
    std::uint16_t first[Steps == 0 ? 1 : Steps];
    std::uint8_t places[Steps == 0 || lanes == 1 ? 1 : Steps * lanes];
};

// The tables of frozen weights, layer by layer of the chain that runs. Weights: FrozenWeights with static storage.
template <const auto& Weights>
struct FrozenTables {
    using weights_type = std::remove_cvref_t<decltype(Weights)>;
    using network = typename weights_type::network;
    using T = typename weights_type::scalar;
    using C = rewritten_chain<Purpose::inference, typename network::chain>;

    template <std::size_t I>
    static constexpr auto view = layer_view<C, I>(blocks_of<C>(Weights.data()));
    template <std::size_t I>
    static constexpr KernelValues<typename C::template bound<I>, T> values{view<I>.template get<0>()};

    // Zeros of its kernel in percent.
    template <std::size_t I>
    static constexpr std::size_t percent()
    {
        using B = typename C::template bound<I>;
        if constexpr (may_skip<B, T>())
            return 100 * count_zeros(values<I>) / (B::input::size * B::output::size);
        else
            return 0;
    }
    static constexpr std::size_t needed = static_cast<std::size_t>(100 * kernels::sparse_pays_from<T> + 0.5);
    static constexpr std::size_t largest_percent = [] {
        std::size_t largest = 0;
        C::for_each([&]<std::size_t I>() {
            constexpr std::size_t own = percent<I>();
            largest = own > largest ? own : largest;
        });
        return largest;
    }();

    template <std::size_t I>
    static constexpr auto table = [] {
        using B = typename C::template bound<I>;
        constexpr std::size_t steps = count_sparse_steps(values<I>);
        SparseTable<T, steps, sparse_panels<B, T>> made{};
        kernels::FillSparseSteps<T, KernelValues<B, T>> fill{values<I>, made.values, made.places, made.first,
                                                             made.ends};
        kernels::each_sparse_step<T>(B::input::size, B::output::size, values<I>, fill);
        copy_sparse_bias(view<I>, made.bias);
        return made;
    }();
    template <std::size_t I>
    static constexpr kernels::SparseMatrix<T> matrix{table<I>.values, table<I>.places, table<I>.first, table<I>.ends,
                                                     table<I>.bias};
};

// The best layer's zeros, and what is asked for, in percent.
template <std::size_t Percent, std::size_t Needed>
struct ZerosPay {
    static constexpr bool value = Percent >= Needed;
    static_assert(
        Percent >= Needed,
        "tenon: no Dense layer has enough zeros for code that skips them to be faster: run these weights with "
        "Session, or prune more.");
};

template <const auto& Weights, bool = Prunable<typename std::remove_cvref_t<decltype(Weights)>::precision>>
struct SkipZerosOf {
    using tables = FrozenTables<Weights>;
    using network = typename tables::network;
    using scalar = typename tables::T;
    using precision = typename precision_of<scalar>::type;

    // An enumerator, because it is looked at as soon as the class is.
    // clang-format off
    enum : bool { pays = checked<ZerosPay<tables::largest_percent, tables::needed>>::value };
    // clang-format on

    // Layer I of the network as it runs.
    template <std::size_t I>
    static constexpr bool skips = tables::template percent<I>() >= tables::needed;
    template <std::size_t I>
    static constexpr const kernels::SparseMatrix<scalar>* of()
    {
        if constexpr (skips<I>)
            return &tables::template matrix<I>;
        else
            return nullptr;
    }
    template <std::size_t I>
    static constexpr auto view()
    {
        return tables::template view<I>;
    }
};
// Refused: as much of it as keeps compilers from saying more.
template <const auto& Weights>
struct SkipZerosOf<Weights, false> {
    using network = typename std::remove_cvref_t<decltype(Weights)>::network;
    using scalar = float;
    using precision = Float32;

    template <std::size_t I>
    static constexpr bool skips = false;
    template <std::size_t I>
    static constexpr const kernels::SparseMatrix<float>* of()
    {
        return nullptr;
    }
    template <std::size_t I>
    static constexpr auto view()
    {
        using B = typename rewritten_chain<Purpose::inference, typename network::chain>::template bound<I>;
        return ParameterView<B, const float>{nullptr};
    }

    // clang-format off
    enum : bool { pays = checked<CheckPrunable<typename std::remove_cvref_t<decltype(Weights)>::precision>>::value };
    // clang-format on
};

}  // namespace detail

// SkipZeros<weights>: the tables of `constexpr auto weights = freeze<Net>(…)`, one for each Dense layer of the network's own
// list whose zeros pay (kernels::sparse_pays_from); the others run as they are. Without any it does not compile.
template <const auto& Weights>
struct SkipZeros : detail::SkipZerosOf<Weights> {};

// Weights of which the zeros of some Dense layers are gone, as export_header writes them: predict and SparseSession take them.
// Layers: places in the network as it runs.
template <class Net, class P, std::size_t... Layers>
struct SparseWeights;

// In float, for processors without vectors. rest: the learned values of all other layers in logical order, then their running
// statistics; lists: one for each of Layers.
template <class Net, std::size_t... Layers>
struct SparseWeights<Net, Float32, Layers...> {
    using network = Net;
    using precision = Float32;
    using scalar = float;
    using chain = rewritten_chain<Purpose::inference, typename Net::chain>;

    const float* rest;
    kernels::SparseMatrix<float> lists[sizeof...(Layers)];

    template <std::size_t I>
    static constexpr bool skips = ((I == Layers) || ...);
    template <std::size_t I>
    constexpr const kernels::SparseMatrix<float>* of() const
    {
        return lists + (std::size_t{0} + ... + (Layers < I ? 1 : 0));
    }
    template <std::size_t I>
    constexpr ParameterView<typename chain::template bound<I>, const float> view() const
    {
        constexpr std::size_t own = storage_before<I, Role::learned>(),
                              learned = storage_before<chain::count, Role::learned>();
        return {rest + own, rest + learned + storage_before<I, Role::statistics>()};
    }

private:
    template <std::size_t I, Role R>
    static constexpr std::size_t storage_before()
    {
        std::size_t storage = 0;
        detail::for_each_index<0, I>([&]<std::size_t J>() {
            if constexpr (!skips<J>) storage += layer_storage<float, typename chain::template bound<J>, R>();
        });
        return storage;
    }
};

// As Session, for a network without its zeros: SkipZeros<weights> or a SparseModel, which must outlive it.
template <class Owner, class R = Rows<1>>
class SparseSession {
    using Net = typename Owner::network;
    using C = rewritten_chain<Purpose::inference, typename Net::chain>;

public:
    using scalar = typename Owner::scalar;
    using input_type = Tensor<scalar, typename Net::input_shape>;
    using output_type = Tensor<scalar, typename Net::output_shape>;

    explicit SparseSession(const Owner& owner) : owner_{&owner} {}

    template <class Sample>
        requires requires { typename Sample::shape; }
    output_type run(const Sample& input)
    {
        output_type output;
        if constexpr (checked<CheckInput<InputHas<typename Sample::shape>,
                                         TheNetworkTakes<typename Net::input_shape>>>::value)
            run_rows(1, input.data(), output.data());
        return output;
    }

    // inputs: (rows, input), outputs: (rows, output).
    void run_rows(std::size_t rows, const scalar* inputs, scalar* outputs)
    {
        constexpr std::size_t in = Net::input_shape::size, out = Net::output_shape::size;
        for (std::size_t r = 0; r < rows; r += R::value)
            infer_sparse_chain<C, R::value>(rows - r < R::value ? rows - r : R::value, inputs + r * in,
                                            outputs + r * out, workspace_.values, *owner_);
    }

private:
    const Owner* owner_;
    detail::Workspace<scalar, Net::template workspace_bytes<typename Owner::precision, R::value>> workspace_;
};

// One sample. Usable in constant expressions.
template <class Net, std::size_t... Layers, class Sample>
constexpr auto predict(const SparseWeights<Net, Float32, Layers...>& weights, const Sample& input)
{
    using C = rewritten_chain<Purpose::inference, typename Net::chain>;
    Tensor<float, typename Net::output_shape> output{};
    if constexpr (checked<
                      CheckInput<InputHas<typename Sample::shape>, TheNetworkTakes<typename Net::input_shape>>>::value)
    {
        detail::Workspace<float, Net::template workspace_bytes<Float32>> workspace{};
        infer_sparse_chain<C, 1>(1, input.data(), output.data(), workspace.values, weights);
    }
    return output;
}

}  // namespace tenon

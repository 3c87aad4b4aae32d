// SPDX-License-Identifier: BSL-1.0
// Chain: layers bound one after the other to an input shape. Binding is where a bad joint fails; a Network is a chain with
// a name, and blocks (Sequential, Residual, …) are made of chains.
#pragma once

#include <tenon/core/list.hpp>
#include <tenon/layers/bound.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// In its own class, so that a joint whose layer is none stays valid.
template <class Layer, bool IsLayer>
struct MustBeLayer {
    static_assert(IsLayer, "tenon: a network is made of layers, and this type is not a layer.");
};

template <bool IsLayer>
struct RuleOf {
    template <class Layer, class In>
    using type = typename Layer::template rule<In>;
};
template <>
struct RuleOf<false> {
    struct None {
        using output = InvalidShape;
    };
    template <class, class>
    using type = None;
};

}  // namespace detail

// One joint of a chain, for the error message: its place (0-based), the layer and the shape that reaches it.
template <std::size_t Position, class Layer, AnyShape In>
struct Joint {
    // The enumerators do what checked<…> does, and put the joint itself near the top of the message: clang shows the first
    // and the last five levels of many.
    // clang-format off
    enum : bool { asked_layer = requires { sizeof(Layer); } };
    static constexpr bool is_layer = LayerSpec<Layer>;
    using must_be_layer = detail::MustBeLayer<Layer, is_layer>;
    using rule = typename detail::RuleOf<is_layer>::template type<Layer, In>;
    enum : bool { asked_kind = requires { sizeof(must_be_layer); }, asked_rule = requires { sizeof(rule); } };
    // clang-format on

    using bound = Bound<Layer, In>;
    using output = typename rule::output;
};

// Behind a joint that failed nothing is instantiated.
template <std::size_t Position, class Layer>
struct Joint<Position, Layer, InvalidShape> {
    using output = InvalidShape;
};

namespace detail {

// The I-th joint, found from its predecessor's output. Memoised by the compiler: linear in the number of layers.
template <class C, std::size_t I>
struct JointAt {
    using type = Joint<I, typename C::template layer<I>, typename JointAt<C, I - 1>::type::output>;
};
template <class C>
struct JointAt<C, 0> {
    using type = Joint<0, typename C::template layer<0>, typename C::input>;
};

// All joints, bound in order: when one fails, those before it are bound already and stay out of the message.
template <class C, class Indices>
struct Joints;
template <class C, std::size_t... I>
struct Joints<C, std::index_sequence<I...>> {
    using outputs = List<typename JointAt<C, I>::type::output...>;
    using output = typename JointAt<C, sizeof...(I) - 1>::type::output;
};
template <class C>
struct Joints<C, std::index_sequence<>> {
    using output = typename C::input;
};

// Calls f.operator()<I>() for I = 0 … N-1, in order; split, because clang caps a fold at 256 operands.
template <std::size_t Begin, std::size_t N, class F>
TENON_ALWAYS_INLINE constexpr void for_each_index(F&& f)
{
    if constexpr (N <= 128) {
        [&]<std::size_t... I>(std::index_sequence<I...>) TENON_LAMBDA_INLINE {
            (f.template operator()<Begin + I>(), ...);
        }(std::make_index_sequence<N>{});
    } else {
        for_each_index<Begin, N / 2>(f);
        for_each_index<Begin + N / 2, N - N / 2>(f);
    }
}

}  // namespace detail

template <AnyShape In, class... Layers>
struct Chain {
    using input = In;
    using layers = List<Layers...>;

    template <std::size_t I>
    using layer = element<I, Layers...>;
    template <std::size_t I>
    using joint = typename detail::JointAt<Chain, I>::type;
    template <std::size_t I>
    using bound = typename joint<I>::bound;

    // A helper class and not decltype of a lambda: clang 14 to 19 crash on those in a precompiled header.
    using output = typename detail::Joints<Chain, std::make_index_sequence<sizeof...(Layers)>>::output;

    // After a failed assertion the chain counts as empty, so that nothing else is reported.
    static constexpr bool valid = !std::is_same_v<output, InvalidShape>;
    static constexpr std::size_t count = valid ? sizeof...(Layers) : 0;

    // f.operator()<I>() for each layer's index, first to last.
    template <class F>
    TENON_ALWAYS_INLINE static constexpr void for_each(F&& f)
    {
        detail::for_each_index<0, count>(f);
    }
};

}  // namespace tenon

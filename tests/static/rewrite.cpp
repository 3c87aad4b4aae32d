// SPDX-License-Identifier: BSL-1.0
// Topologies rewritten as types: what each rewrite makes, and that Net::layers is a Hana sequence like any other.
#include <tenon/inference.hpp>
#include <tenon/network/rewrite.hpp>

#include <boost/hana/at.hpp>
#include <boost/hana/contains.hpp>
#include <boost/hana/count_if.hpp>
#include <boost/hana/filter.hpp>
#include <boost/hana/find_if.hpp>
#include <boost/hana/fold_left.hpp>
#include <boost/hana/length.hpp>
#include <boost/hana/size.hpp>
#include <boost/hana/transform.hpp>

using namespace tenon;
namespace hana = boost::hana;

namespace {

using Half = Dropout<Rate<1, 2>>;
template <class... Layers>
using On8 = Network<Input<8>, Layers...>;
using Net = On8<Dense<6>, ReLU, Half, Dense<4>, Tanh, Dense<3>, Softmax>;

// append, truncate, replace, without_dropout
static_assert(std::is_same_v<rewrite::append<Net, Flatten, ReLU>,
                             On8<Dense<6>, ReLU, Half, Dense<4>, Tanh, Dense<3>, Softmax, Flatten, ReLU>>);
static_assert(std::is_same_v<rewrite::append<Net>, Net>);
static_assert(std::is_same_v<rewrite::truncate<Net, 1>, On8<Dense<6>>>);
static_assert(std::is_same_v<rewrite::truncate<Net, 4>, On8<Dense<6>, ReLU, Half, Dense<4>>>);
static_assert(std::is_same_v<rewrite::truncate<Net, 7>, Net>);
static_assert(
    std::is_same_v<rewrite::replace<Net, 0, Dense<7>>, On8<Dense<7>, ReLU, Half, Dense<4>, Tanh, Dense<3>, Softmax>>);
static_assert(
    std::is_same_v<rewrite::replace<Net, 4, ELU>, On8<Dense<6>, ReLU, Half, Dense<4>, ELU, Dense<3>, Softmax>>);
static_assert(std::is_same_v<rewrite::replace<Net, 6, LogSoftmax>,
                             On8<Dense<6>, ReLU, Half, Dense<4>, Tanh, Dense<3>, LogSoftmax>>);
static_assert(std::is_same_v<rewrite::without_dropout<Net>, On8<Dense<6>, ReLU, Dense<4>, Tanh, Dense<3>, Softmax>>);
static_assert(std::is_same_v<rewrite::without_dropout<On8<Half, ReLU, Dropout<Rate<1, 3>>>>, On8<ReLU>>);

// fuse, for inference
template <class... Layers>
using fused = rewrite::fuse<On8<Layers...>>;
static_assert(std::is_same_v<rewrite::fuse<Net>, On8<Fused<Dense<6>, ReLU>, Fused<Dense<4>, Tanh>, Dense<3>, Softmax>>);
static_assert(std::is_same_v<fused<Dense<4>, Half, ReLU>, On8<Fused<Dense<4>, ReLU>>>);
static_assert(std::is_same_v<fused<Dense<4>, ReLU, ReLU>, On8<Fused<Dense<4>, ReLU>, ReLU>>);
static_assert(std::is_same_v<fused<ReLU, Dense<4>>, On8<ReLU, Dense<4>>>);
static_assert(std::is_same_v<fused<Dense<4>, PReLU>, On8<Dense<4>, PReLU>>);  // its slopes are parameters
static_assert(std::is_same_v<fused<Dense<4>, Softmax>, On8<Dense<4>, Softmax>>);
static_assert(std::is_same_v<fused<Dense<4>, Flatten, ReLU>, On8<Dense<4>, Flatten, ReLU>>);
static_assert(std::is_same_v<fused<Dense<4, NoBias>, GELU>, On8<Fused<Dense<4, NoBias>, GELU>>>);
static_assert(std::is_same_v<fused<Half>, On8<Half>>);
static_assert(std::is_same_v<fused<Half, Half>, On8<Half>>);
static_assert(std::is_same_v<fused<Half, ReLU, Half>, On8<ReLU>>);
static_assert(std::is_same_v<fused<Sequential<Dense<4>, ReLU>, Tanh>, On8<Fused<Dense<4>, ReLU>, Tanh>>);
static_assert(std::is_same_v<fused<Residual<Dense<8>, Half, ELU>>, On8<Residual<Fused<Dense<8>, ELU>>>>);
static_assert(std::is_same_v<fused<Concat<Sequential<Dense<4>, SiLU>, Half, ReLU>>,
                             On8<Concat<Sequential<Fused<Dense<4>, SiLU>>, Half, ReLU>>>);
static_assert(std::is_same_v<fused<Sequential<Half>, ReLU>, On8<Half, ReLU>>);
// Blocks that only follow one another are gone, but for long ones.
using Once = Fused<Dense<8>, ReLU>;
static_assert(std::is_same_v<fused<Repeat<3, Sequential<Dense<8>, ReLU>>>, On8<Once, Once, Once>>);
static_assert(
    std::is_same_v<fused<Sequential<Sequential<Tanh, Repeat<2, Dense<8>>>, ELU>>, On8<Tanh, Dense<8>, Dense<8>, ELU>>);
static_assert(std::is_same_v<fused<Residual<Sequential<Dense<8>, ReLU>, Tanh>>, On8<Residual<Once, Tanh>>>);
static_assert(std::is_same_v<fused<Repeat<17, Dense<8>>>, On8<Repeat<17, Dense<8>>>>);
static_assert(std::is_same_v<rewrite::fuse<rewrite::fuse<Net>>, rewrite::fuse<Net>>);

// for training: only what can be derived from its output, and Dropout stays
template <class... Layers>
using trained = rewrite::fuse<On8<Layers...>, Purpose::training>;
static_assert(std::is_same_v<rewrite::fuse<Net, Purpose::training>,
                             On8<Fused<Dense<6>, ReLU>, Half, Fused<Dense<4>, Tanh>, Dense<3>, Softmax>>);
static_assert(std::is_same_v<trained<Dense<4>, Half, ReLU>, On8<Dense<4>, Half, ReLU>>);
static_assert(std::is_same_v<trained<Dense<4>, GELU>, On8<Dense<4>, GELU>>);
static_assert(std::is_same_v<trained<Dense<4>, SiLU, ReLU>, On8<Dense<4>, SiLU, ReLU>>);
static_assert(std::is_same_v<trained<Residual<Dense<8>, Half, Dense<8>, SELU>>,
                             On8<Residual<Dense<8>, Half, Fused<Dense<8>, SELU>>>>);

// A rewritten network keeps the number and the layout of its parameters.
using Block = Residual<Dense<8>, ReLU, Half, Dense<8>, Tanh>;
using Deep =
    On8<Block, Concat<Sequential<Dense<5>, ELU>, Dense<3, NoBias>>, PReLU, Repeat<2, Block>, LayerNorm, Dense<2>>;
template <class T>
constexpr bool same_layout()
{
    constexpr auto& a = slot_table<Deep, T>;
    constexpr auto& b = slot_table<rewrite::fuse<Deep>, T>;
    constexpr auto& c = slot_table<rewrite::fuse<Deep, Purpose::training>, T>;
    static_assert(a.size() == b.size() && a.size() == c.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i].offset != b[i].offset || a[i].offset != c[i].offset || a[i].size != b[i].size ||
            a[i].size != c[i].size || a[i].storage != b[i].storage || a[i].ordinal != b[i].ordinal)
            return false;
    return true;
}
static_assert(same_layout<float>() && same_layout<double>());
static_assert(rewrite::fuse<Deep>::parameter_count == Deep::parameter_count && rewrite::fuse<Deep>::macs == Deep::macs);

// Hana's algorithms.
static_assert(decltype(hana::size(Net::layers))::value == 7 && decltype(hana::length(Net::layers))::value == 7);
static_assert(hana::contains(Net::layers, hana::type_c<Tanh>) && !hana::contains(Net::layers, hana::type_c<ELU>));
static_assert(hana::at_c<3>(Net::layers) == hana::type_c<Dense<4>>);
struct IsHalf {
    template <class L>
    constexpr auto operator()(hana::basic_type<L>) const
    {
        return hana::bool_c<std::is_same_v<L, Half>>;
    }
};
static_assert(decltype(hana::count_if(Net::layers, IsHalf{}))::value == 1);
static_assert(decltype(hana::size(hana::filter(Net::layers, IsHalf{})))::value == 1);
static_assert(hana::find_if(Net::layers, IsHalf{}) == hana::just(hana::type_c<Half>));
constexpr auto sizes = hana::transform(Net::layers, [](auto layer) { return sizeof(typename decltype(layer)::type); });
static_assert(hana::fold_left(sizes, std::size_t{0}, [](std::size_t a, std::size_t b) { return a + b; }) == 7);

}  // namespace

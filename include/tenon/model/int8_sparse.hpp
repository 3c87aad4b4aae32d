// SPDX-License-Identifier: BSL-1.0
// Integer inference on weights whose zeros are gone: what export_header writes with skip_zeros. No heap.
#pragma once

#include <tenon/model/int8.hpp>
#include <tenon/model/sparse.hpp>

namespace tenon::inline TENON_ISA {

// FrozenWeights<Net, Int8> but for those Layers of the network as it runs whose kernels are lists without zeros
// (kernels/int8_sparse.hpp).
template <class Net, std::size_t... Layers>
struct SparseWeights<Net, Int8, Layers...> {
    using network = Net;
    using precision = Int8;
    using scalar = std::int8_t;
    using skips = SkipsZeros<Layers...>;

    FrozenWeights<Net, Int8> tables;
};

// One sample of floats or of int8, as with FrozenWeights.
template <class Net, std::size_t... Layers, class Sample>
constexpr auto predict(const SparseWeights<Net, Int8, Layers...>& weights, const Sample& input)
{
    return detail::predict_int8<Net, typename SparseWeights<Net, Int8, Layers...>::skips>(weights.tables, input);
}

// As Session<Net, R, Int8>, for weights without zeros, which must outlive it.
template <class Net, std::size_t... Layers, class R>
class SparseSession<SparseWeights<Net, Int8, Layers...>, R>
    : public detail::Int8Session<Net, R, SkipsZeros<Layers...>> {
public:
    explicit SparseSession(const SparseWeights<Net, Int8, Layers...>& weights)
        : detail::Int8Session<Net, R, SkipsZeros<Layers...>>{weights.tables.view(), weights.tables.input,
                                                             weights.tables.output}
    {}
};

}  // namespace tenon

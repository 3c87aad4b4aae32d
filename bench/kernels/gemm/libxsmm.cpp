// SPDX-License-Identifier: BSL-1.0
// libxsmm: a kernel generated at run time for each size. It is column-major, so c^T = b^T a^T.
#include "problem.hpp"

#include <libxsmm.h>

namespace contest::with_libxsmm {

template <class Case>
class Contestant {
public:
    explicit Contestant(const float* b) : b_(b, b + Case::K * Case::N)
    {
        constexpr auto M = static_cast<libxsmm_blasint>(Case::M), N = static_cast<libxsmm_blasint>(Case::N);
        constexpr auto K = static_cast<libxsmm_blasint>(Case::K);
        const float one = 1.0f, zero = 0.0f;
        kernel_ = libxsmm_smmdispatch(N, M, K, &N, &K, &N, &one, &zero, nullptr, nullptr);
    }

    void run(const float* a, float* c) const
    {
        if (kernel_ != nullptr) kernel_(b_.data(), a, c);
    }

private:
    Buffer b_;
    libxsmm_smmfunction kernel_ = nullptr;
};

const bool enlisted = enlist_gemm<Contestant>("libxsmm", Role::peer, GemmSizes{});
const bool described = describe("libxsmm",
                                std::string(LIBXSMM_VERSION) + ", generated for " + libxsmm_get_target_arch());

}  // namespace contest::with_libxsmm

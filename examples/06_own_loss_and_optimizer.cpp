// SPDX-License-Identifier: BSL-1.0
//
// 6. A loss and an optimiser of your own: plain structs with their options.
#include <tenon/losses/loss.hpp>
#include <tenon/optimizers/step.hpp>
#include <tenon/tenon.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

namespace mine {

// The pinball loss (Koenker & Bassett 1978): its minimum is not the mean but a quantile. With e = t - y,
//   loss = max(q · e, (q - 1) · e);   d loss/d y = -q where e > 0, 1 - q otherwise.
struct Quantile {
    double quantile = 0.5;

    // Returns the sum over the rows, and writes scale times the gradient to dy. mean_over_outputs is the loop for losses in
    // which each output counts for itself; the function that it takes is called with packs of several values at once.
    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const Target* target, T* dy, T scale) const
    {
        const T q = static_cast<T>(quantile);
        return tenon::mean_over_outputs<Output>(rows, y, target, dy, scale, [q]<class V>(V output, V wanted) {
            const V error = wanted - output, zero = T(0), above = q, below = q - T(1);
            const V slope = select(error > zero, above, below);
            return tenon::LossAndSlope<V>{slope * error, -slope};
        });
    }
};

// Lion (Chen et al. 2023, Algorithm 2): steps of one size, in the direction of a sign.
//   w ← w - learning_rate · sign(beta_1 m + (1 - beta_1) g);   m ← beta_2 m + (1 - beta_2) g
struct Lion {
    double learning_rate = 1e-4;
    double beta_1 = 0.9;
    double beta_2 = 0.99;

    static constexpr std::size_t moments = 1;  // values kept for each weight, zero at first

    template <class T>
    struct Step {
        T rate, beta_1, beta_2;

        // Element by element, on packs. Where g and m are zero the weight stays: that keeps the padding zero.
        template <class V>
        void update(V& w, V g, V* m) const
        {
            const V zero = T(0), up = rate, down = -rate;
            const V direction = fma(V(beta_1), m[0] - g, g);
            w = w - select(direction > zero, up, select(direction < zero, down, zero));
            m[0] = fma(V(beta_2), m[0] - g, g);
        }
    };

    // The constants of the t-th step; factor is what a schedule makes of the learning rate.
    template <class T>
    Step<T> step(std::uint64_t /*t*/, double factor) const
    {
        return {static_cast<T>(learning_rate * factor), static_cast<T>(beta_1), static_cast<T>(beta_2)};
    }
};

}  // namespace mine

using namespace tenon;

using Net = Network<Input<1>, Dense<32>, Tanh, Dense<1>>;

int main()
{
    // A signal whose noise grows to the right. The upper nine tenths are no parallel to the mean.
    Random random{Seed{8}};
    std::vector<float> x, y;
    for (int i = 0; i < 2000; ++i) {
        const double at = random.uniform();
        x.push_back(static_cast<float>(at));
        y.push_back(static_cast<float>(std::sin(6 * at) + (0.1 + 0.4 * at) * random.normal()));
    }
    const data::TensorDataset<Shape<1>, Shape<1>> dataset{x, y};

    const GradientReport report = check_gradients<Net>(mine::Quantile{.quantile = 0.9});
    std::printf("gradients: worst relative error %.1e\n", report.worst);

    Model<Net> model{Seed{1}};
    Trainer trainer{model, mine::Quantile{.quantile = 0.9}, mine::Lion{.learning_rate = 2e-3}};
    trainer.fit(dataset, {.epochs = 60,
                          .batch_size = 50,
                          .schedule = [](std::uint64_t step) { return step < 1600 ? 1.0 : 0.1; },
                          .progress = Progress::silent});

    int below = 0;
    for (std::size_t i = 0; i < dataset.size(); ++i)
        below += dataset.target(i)[0] <= model.predict(dataset.input(i))[0];
    std::printf("%.1f %% of the values lie below the learned 90 %% line\n", below / 20.0);
    return report.worst < 1e-6 && std::abs(below - 1800) < 60 ? 0 : 1;
}

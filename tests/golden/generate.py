#!/usr/bin/python3
# SPDX-License-Identifier: BSL-1.0
"""Writes the golden data of tests/golden/data from PyTorch (Debian: python3-torch; made with 1.13).

    /usr/bin/python3 tests/golden/generate.py [folder of Fashion-MNIST]

Inputs, weights and batch orders are not stored: both sides draw them from tenon::Random's bits, as dyadic numbers that
float holds exactly (sequence.hpp is the C++ half). Stored are results only, in double (repr: it reads back to the same
bits), except for the curve on Fashion-MNIST, which PyTorch computes in float on one thread.
"""
import gzip
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
HERE = pathlib.Path(__file__).resolve().parent
MASK = (1 << 64) - 1


# --- tenon/core/random.hpp ------------------------------------------------------------------------------------------
def mix_bits(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


GAMMA = 0x9E3779B97F4A7C15


class Random:
    def __init__(self, seed, stream):
        self.state = mix_bits((seed + GAMMA) & MASK) ^ mix_bits((stream * 0xD1342543DE82EF95 + 1) & MASK)
        self.counter = 0

    def bits(self):
        self.counter += 1
        return mix_bits((self.state + self.counter * GAMMA) & MASK)

    def below(self, bound):
        limit = bound * (MASK // bound)
        draw = self.bits()
        while draw >= limit:
            draw = self.bits()
        return draw % bound


# --- sequence.hpp ---------------------------------------------------------------------------------------------------
SEED = 2025


def draws(stream, *shape, scale=1.0):
    """scale * (multiples of 2^-23 in [-1, 1)), row-major."""
    random = Random(SEED, stream)
    count = math.prod(shape)
    flat = [scale * ((random.bits() >> 40) / 2.0**23 - 1.0) for _ in range(count)]
    return torch.tensor(flat).reshape(*shape)


def labels_of(stream, rows, classes):
    random = Random(SEED, stream)
    return torch.tensor([random.below(classes) for _ in range(rows)])


def order_of(stream, count):
    """Fisher-Yates from the end, as Random::shuffle."""
    random = Random(SEED, stream)
    order = list(range(count))
    for i in range(count, 1, -1):
        j = random.below(i)
        order[i - 1], order[j] = order[j], order[i - 1]
    return order


# --- output ---------------------------------------------------------------------------------------------------------
class Header:
    def __init__(self, name, title, script="generate.py"):
        self.path = HERE / "data" / f"{name}.hpp"
        self.lines = [
            "// SPDX-License-Identifier: BSL-1.0",
            f"// {title} Written by {script}: do not edit.",
            "#pragma once",
            "",
            "// clang-format off",
            f"namespace golden::{name} {{",
        ]

    def numbers(self, flat):
        line = "   "
        for v in flat:
            word = f" {float(v)!r},"
            if len(line) + len(word) > 120:
                self.lines.append(line)
                line = "   "
            line += word
        self.lines.append(line)

    def add(self, name, values, kind="double"):
        flat = torch.as_tensor(values).detach().reshape(-1).tolist()
        self.lines.append(f"inline constexpr {kind} {name}[{len(flat)}] = {{")
        self.numbers(flat)
        self.lines.append("};")

    def write(self):
        self.lines += [f"}}  // namespace golden::{self.path.stem}", "// clang-format on", ""]
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text("\n".join(self.lines))
        print(self.path, self.path.stat().st_size)


# --- activations: x = 8 * draws(1), dy = draws(2) --------------------------------------------------------------------
def activations():
    out = Header("activations", "y = f(x) and dx = dy * f'(x), x = draws(1, 8.0), dy = draws(2), 48 values.")
    functions = {
        "relu": F.relu,
        "leaky_relu_03": lambda x: F.leaky_relu(x, 0.3),
        "leaky_relu_001": lambda x: F.leaky_relu(x, 0.01),
        "elu": F.elu,
        "selu": F.selu,
        "gelu": F.gelu,
        "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        "silu": F.silu,
        "hard_swish": F.hardswish,
        "sigmoid": torch.sigmoid,
        # F.hardsigmoid's own gradient multiplies by 1/6 in float.
        "hard_sigmoid": lambda x: torch.clamp(x + 3, 0, 6) / 6,
        "tanh": torch.tanh,
        # Without the threshold at which F.softplus turns into the identity.
        "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    }
    dy = draws(2, 48)
    for name, function in functions.items():
        x = draws(1, 48, scale=8.0).requires_grad_()
        y = function(x)
        y.backward(dy)
        out.add(f"{name}_y", y)
        out.add(f"{name}_dx", x.grad)

    # PReLU with one slope per feature: (6, 8) rows, slopes draws(3, 8).
    x = draws(1, 6, 8, scale=8.0).requires_grad_()
    slope = draws(3, 8).requires_grad_()
    y = F.prelu(x, slope)
    y.backward(dy.reshape(6, 8))
    out.add("prelu_y", y)
    out.add("prelu_dx", x.grad)
    out.add("prelu_dslope", slope.grad)
    out.write()


# --- layers and small networks ---------------------------------------------------------------------------------------
def dense(x, kernel, bias):
    return x @ kernel + bias


def layers():
    out = Header("layers", "Single layers and small networks: outputs, losses and gradients in logical order.")

    def record(name, y, inputs, parameters):
        out.add(f"{name}_y", y)
        if inputs is not None:
            out.add(f"{name}_dx", inputs.grad)
        out.add(f"{name}_dparameters", torch.cat([p.grad.reshape(-1) for p in parameters]) if parameters else [0.0])

    def leaf(t):
        return t.clone().requires_grad_()

    # Single layers: x = draws(10), dy = draws(11), slot s = draws(100 + s, 0.5).
    x, k, b = leaf(draws(10, 3, 5)), leaf(draws(100, 5, 7, scale=0.5)), leaf(draws(101, 7, scale=0.5))
    y = dense(x, k, b)
    y.backward(draws(11, 3, 7))
    record("dense", y, x, [k, b])

    for name, epsilon in (("layer_norm", 1e-3), ("layer_norm_1e5", 1e-5)):
        x, g, b = leaf(draws(10, 4, 6)), leaf(draws(100, 6, scale=0.5)), leaf(draws(101, 6, scale=0.5))
        y = F.layer_norm(x, (6,), g, b, epsilon)
        y.backward(draws(11, 4, 6))
        record(name, y, x, [g, b])

    for name, function in (("softmax", F.softmax), ("log_softmax", F.log_softmax)):
        x = leaf(draws(10, 4, 10, scale=8.0))
        y = function(x, dim=1)
        y.backward(draws(11, 4, 10))
        record(name, y, x, [])

    # Networks: slot s (in the order of the topology) = draws(100 + s, 0.5), x = draws(10), labels = labels(12).
    def network(shapes):
        return [leaf(draws(100 + s, *shape, scale=0.5)) for s, shape in enumerate(shapes)]

    # Input<6>, Dense<8>, Tanh, Residual<Dense<8>, GELU, Dense<8>>, LayerNorm, Concat<Sequential<Dense<3>, ReLU>,
    # Dense<4>>, SiLU, Dropout, Dense<5>; CrossEntropy, mean of 4 rows; Dropout passes its input on at inference.
    p = network([(6, 8), (8,), (8, 8), (8,), (8, 8), (8,), (8,), (8,), (8, 3), (3,), (8, 4), (4,), (7, 5), (5,)])
    x = leaf(draws(10, 4, 6))
    h = torch.tanh(dense(x, p[0], p[1]))
    h = h + dense(F.gelu(dense(h, p[2], p[3])), p[4], p[5])
    h = F.layer_norm(h, (8,), p[6], p[7], 1e-3)
    h = torch.cat([F.relu(dense(h, p[8], p[9])), dense(h, p[10], p[11])], dim=1)
    y = dense(F.dropout(F.silu(h), 0.5, training=False), p[12], p[13])
    loss = F.cross_entropy(y, labels_of(12, 4, 5))
    loss.backward()
    record("residual_net", y, x, p)
    out.add("residual_net_loss", loss)

    # Input<4>, Dense<16>, ReLU, Dense<16>, ReLU, Dense<3>, Softmax; CrossEntropy, mean of 7 rows.
    p = network([(4, 16), (16,), (16, 16), (16,), (16, 3), (3,)])
    x = leaf(draws(10, 7, 4))
    h = F.relu(dense(F.relu(dense(x, p[0], p[1])), p[2], p[3]))
    logits = dense(h, p[4], p[5])
    loss = F.cross_entropy(logits, labels_of(12, 7, 3))
    loss.backward()
    record("classifier", F.softmax(logits, dim=1), x, p)
    out.add("classifier_loss", loss)

    # Input<5>, Dense<9>, ELU, Dense<1>, Sigmoid; BinaryCrossEntropy, mean of 6 rows, targets 0 or 1.
    p = network([(5, 9), (9,), (9, 1), (1,)])
    x = leaf(draws(10, 6, 5))
    y = torch.sigmoid(dense(F.elu(dense(x, p[0], p[1])), p[2], p[3]))
    loss = F.binary_cross_entropy(y, labels_of(12, 6, 2).to(torch.float64).reshape(6, 1))
    loss.backward()
    record("binary_net", y, x, p)
    out.add("binary_net_loss", loss)

    # Input<3>, Dense<10>, Softplus, Dense<2>; MeanSquaredError against draws(13), mean of 5 rows.
    p = network([(3, 10), (10,), (10, 2), (2,)])
    x = leaf(draws(10, 5, 3))
    h = dense(x, p[0], p[1])
    y = dense(torch.logaddexp(h, torch.zeros_like(h)), p[2], p[3])
    loss = F.mse_loss(y, draws(13, 5, 2))
    loss.backward()
    record("regression_net", y, x, p)
    out.add("regression_net_loss", loss)
    out.write()


# --- losses: y = 4 * draws(20) (7, 11), real targets = 4 * draws(21), labels(22) ---------------------------------------
def losses():
    out = Header("losses", "Sum over rows of the row losses and the gradient of that sum, (7, 11) outputs.")
    rows, columns = 7, 11
    labels = labels_of(22, rows, columns)
    real = draws(21, rows, columns, scale=4.0)
    unit = draws(23, rows, columns) * 0.5 + 0.5  # [0, 1), dyadic
    binary = torch.floor(unit * 2)
    # Probability rows as 2^-k, so that both sides hold them exactly: 1/2, 1/4, … and the last value twice.
    powers = torch.tensor([2.0 ** -min(i + 1, columns - 1) for i in range(columns)])
    probabilities = torch.stack([torch.roll(powers, int(labels[r])) for r in range(rows)])

    def case(name, function, scale=4.0):
        y = draws(20, rows, columns, scale=scale).requires_grad_()
        value = function(y)
        value.backward()
        out.add(f"{name}_value", value)
        out.add(f"{name}_gradient", y.grad)

    case("cross_entropy", lambda y: F.cross_entropy(y, labels, reduction="sum"))
    case("cross_entropy_smoothed", lambda y: F.cross_entropy(y, labels, reduction="sum", label_smoothing=0.1))
    case("cross_entropy_soft", lambda y: F.cross_entropy(y, probabilities, reduction="sum"))
    case(
        "cross_entropy_soft_smoothed",
        lambda y: F.cross_entropy(y, probabilities, reduction="sum", label_smoothing=0.25),
    )
    case("cross_entropy_extreme", lambda y: F.cross_entropy(y, labels, reduction="sum"), scale=8192.0)
    per_row = 1.0 / columns  # Keras: mean over the last axis
    bce = lambda y, t: per_row * F.binary_cross_entropy_with_logits(y, t, reduction="sum")
    case("binary", lambda y: bce(y, binary))
    case("binary_soft", lambda y: bce(y, unit))
    case("binary_smoothed", lambda y: bce(y, binary * 0.8 + 0.5 * 0.2))
    case("binary_extreme", lambda y: bce(y, binary), scale=8192.0)
    case("mean_squared", lambda y: per_row * F.mse_loss(y, real, reduction="sum"))
    case("mean_absolute", lambda y: per_row * F.l1_loss(y, real, reduction="sum"))
    case("huber", lambda y: per_row * F.huber_loss(y, real, reduction="sum", delta=1.0))
    case("huber_3", lambda y: per_row * F.huber_loss(y, real, reduction="sum", delta=3.0))
    out.write()


# --- distillation: student = scale * draws(40), teacher = scale * draws(41) (6, 10), labels(42) -------------------------
# Written from the papers' formulas: the value is the sum over rows, the gradient is the student's.
def distillation():
    out = Header("distillation", "Terms of distillation: sum over rows, and its gradient at the student's outputs.")
    rows, columns = 6, 10
    labels = labels_of(42, rows, columns)
    hot = F.one_hot(labels, columns).bool()

    def kl(t, s, dim=1):  # from logarithms
        return (t.exp() * (t - s)).sum(dim)

    def soft(T):
        return lambda s, t: T * T * kl(F.log_softmax(t / T, 1), F.log_softmax(s / T, 1)).sum()

    def binary(T):
        def function(s, t):
            log = lambda z: torch.stack([F.logsigmoid(z / T), F.logsigmoid(-z / T)])
            return T * T / s.shape[1] * kl(log(t), log(s), 0).sum()

        return function

    def decoupled(T, alpha, beta):
        def function(s, t):
            n = s.shape[0]
            own = hot[:n]

            def parts(z):
                z = z / T
                others = z[~own].reshape(n, columns - 1)
                both = torch.stack([z[own], others.logsumexp(1)], 1)
                return F.log_softmax(both, 1), F.log_softmax(others, 1)

            (bs, os), (bt, ot) = parts(s), parts(t)
            return T * T * (alpha * kl(bt, bs) + beta * kl(ot, os)).sum()

        return function

    def dist(tau, beta, gamma):
        def correlation(a, b, dim):
            a, b = a - a.mean(dim, keepdim=True), b - b.mean(dim, keepdim=True)
            return ((a * b).sum(dim) / (a.norm(dim=dim) * b.norm(dim=dim) + 1e-8)).mean()

        def function(s, t):
            p, q = F.softmax(s / tau, 1), F.softmax(t / tau, 1)
            loss = beta * (1 - correlation(p, q, 1)) + gamma * (1 - correlation(p, q, 0))
            return s.shape[0] * tau * tau * loss

        return function

    def standardized(term):
        normal = lambda z: (z - z.mean(1, keepdim=True)) / (z.std(1, keepdim=True) + 1e-7)
        return lambda s, t: term(normal(s), normal(t))

    terms = {
        "mean_squared": lambda s, t: ((F.softmax(s, 1) - F.softmax(t, 1)) ** 2).mean(1).sum(),
        "logit_mean_squared": lambda s, t: ((s - t) ** 2).mean(1).sum(),
        "dist_weighted": dist(1, 2.0, 0.5),
        "decoupled_weighted": decoupled(2, 0.5, 3.0),
        "standardized_soft": standardized(soft(2)),
        "standardized_decoupled": standardized(decoupled(2, 1.0, 8.0)),
    }
    for T in (1, 4, 20):
        terms[f"soft_{T}"] = soft(T)
        terms[f"binary_{T}"] = binary(T)
        terms[f"decoupled_{T}"] = decoupled(T, 1.0, 8.0)
        terms[f"dist_{T}"] = dist(T, 1.0, 1.0)
    # Logits to ±4, ±100 (draws are within ±1), and one row alone.
    for name, function in terms.items():
        for case, scale, count in (("", 4.0, rows), ("_100", 100.0, rows), ("_row", 4.0, 1)):
            s = draws(40, rows, columns, scale=scale)[:count].clone().requires_grad_()
            t = draws(41, rows, columns, scale=scale)[:count]
            value = function(s, t)
            value.backward()
            out.add(f"{name}{case}_value", value)
            out.add(f"{name}{case}_gradient", s.grad)
    out.write()


# --- optimisers: 5 weights = draws(30), gradient of step t = draws(31) [5 (t-1), 5 t), 10 steps ----------------------
def optimizers():
    out = Header("optimizers", "Five weights after each of ten steps, (10, 5).")
    count, steps = 5, 10
    gradients = draws(31, steps, count)

    def case(name, make):
        w = draws(30, count).requires_grad_()
        optimizer = make([w])
        trajectory = []
        for t in range(steps):
            w.grad = gradients[t].clone()
            optimizer.step()
            trajectory.append(w.detach().clone())
        out.add(name, torch.stack(trajectory))

    o = torch.optim
    case("sgd", lambda p: o.SGD(p, lr=0.01))
    case("sgd_decay", lambda p: o.SGD(p, lr=0.01, weight_decay=0.1))
    case("sgd_momentum", lambda p: o.SGD(p, lr=0.01, momentum=0.9))
    case("sgd_nesterov", lambda p: o.SGD(p, lr=0.01, momentum=0.9, nesterov=True))
    case("sgd_everything", lambda p: o.SGD(p, lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.02))
    case("adam", lambda p: o.Adam(p, lr=1e-3, eps=1e-8))
    case("adam_epsilon", lambda p: o.Adam(p, lr=1e-2, betas=(0.8, 0.95), eps=0.1))
    case("adamw", lambda p: o.AdamW(p, lr=1e-3, weight_decay=0.004, eps=1e-8))
    case("adamw_epsilon", lambda p: o.AdamW(p, lr=1e-2, betas=(0.8, 0.95), weight_decay=0.3, eps=0.1))
    case("rmsprop", lambda p: o.RMSprop(p, lr=1e-3, alpha=0.9, eps=1e-8))
    case("rmsprop_momentum", lambda p: o.RMSprop(p, lr=1e-3, alpha=0.9, eps=0.01, momentum=0.7))
    case("rmsprop_centered", lambda p: o.RMSprop(p, lr=1e-3, alpha=0.9, eps=0.01, centered=True))
    case("rmsprop_everything", lambda p: o.RMSprop(p, lr=2e-3, alpha=0.95, eps=0.1, centered=True, momentum=0.7))

    case("adagrad", lambda p: o.Adagrad(p, lr=0.01, eps=1e-10))
    case("adagrad_epsilon", lambda p: o.Adagrad(p, lr=0.05, initial_accumulator_value=0.3, eps=0.1))
    case("adadelta", lambda p: o.Adadelta(p, lr=1.0, rho=0.9, eps=1e-6))
    case("adadelta_epsilon", lambda p: o.Adadelta(p, lr=0.5, rho=0.8, eps=0.1))

    # Keras's forms, transcribed from keras/src/optimizers/{adam,adamw,rmsprop,adagrad,nadam}.py (Keras 3), whose epsilon stands
    # elsewhere. `rate` scales the learning rate of each step, to pin where it enters (Keras: inside the velocity).
    def keras(name, update, state):
        w = draws(30, count)
        slots = [torch.zeros(count) for _ in range(state)]
        trajectory = []
        for t in range(steps):
            w = update(w, gradients[t], slots, t + 1)
            trajectory.append(w.clone())
        out.add(name, torch.stack(trajectory))

    def adam(lr, beta_1, beta_2, epsilon, decay=0.0):
        def update(w, g, slots, t):
            w = w - w * decay * lr
            slots[0] = slots[0] + (g - slots[0]) * (1 - beta_1)
            slots[1] = slots[1] + (g * g - slots[1]) * (1 - beta_2)
            alpha = lr * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
            return w - slots[0] * alpha / (slots[1].sqrt() + epsilon)

        return update

    def adagrad(lr, initial, epsilon):
        def update(w, g, slots, t):
            slots[0] = slots[0] + g * g
            return w - lr * g / (slots[0] + initial + epsilon).sqrt()

        return update

    # PyTorch 1.13 multiplies mu_t twice into the product for the next step, which later versions do not: its formula with
    # its momentum_decay, not its result.
    def nadam(lr, beta_1, beta_2, epsilon, momentum_decay=1.0):
        mu = lambda t: beta_1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))

        def update(w, g, slots, t):
            product = math.prod(mu(i) for i in range(1, t + 1))
            slots[0] = slots[0] + (g - slots[0]) * (1 - beta_1)
            slots[1] = slots[1] + (g * g - slots[1]) * (1 - beta_2)
            m_hat = mu(t + 1) * slots[0] / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product)
            return w - m_hat * lr / ((slots[1] / (1 - beta_2**t)).sqrt() + epsilon)

        return update

    # What PyTorch has not, from the papers' algorithms.
    def lion(lr, beta_1, beta_2, decay):
        def update(w, g, slots, t):
            direction = torch.sign(beta_1 * slots[0] + (1 - beta_1) * g)
            slots[0] = beta_2 * slots[0] + (1 - beta_2) * g
            return w - lr * (direction + decay * w)

        return update

    def lamb(lr, beta_1, beta_2, epsilon, decay):
        def update(w, g, slots, t):
            slots[0] = beta_1 * slots[0] + (1 - beta_1) * g
            slots[1] = beta_2 * slots[1] + (1 - beta_2) * g * g
            r = slots[0] / (1 - beta_1**t) / ((slots[1] / (1 - beta_2**t)).sqrt() + epsilon) + decay * w
            return w - lr * w.norm() / r.norm() * r

        return update

    def rmsprop(lr, rho, momentum, epsilon, centered):
        def update(w, g, slots, t):
            slots[0] = rho * slots[0] + (1 - rho) * g * g
            denominator = slots[0] + epsilon
            if centered:
                slots[1] = rho * slots[1] + (1 - rho) * g
                denominator = slots[0] - slots[1] ** 2 + epsilon
            slots[2] = momentum * slots[2] + lr * g / denominator.sqrt()
            return w - slots[2]

        return update

    def sgd(rates, momentum, nesterov):
        def update(w, g, slots, t):
            slots[0] = slots[0] * momentum - g * rates(t)
            return w + (slots[0] * momentum - g * rates(t) if nesterov else slots[0])

        return update

    keras("keras_adam", adam(1e-3, 0.9, 0.999, 1e-7), 2)
    keras("keras_adam_epsilon", adam(1e-2, 0.8, 0.95, 0.1), 2)
    keras("keras_adamw", adam(1e-2, 0.8, 0.95, 0.1, 0.3), 2)
    keras("keras_rmsprop", rmsprop(1e-3, 0.9, 0.0, 1e-7, False), 3)
    keras("keras_rmsprop_everything", rmsprop(2e-3, 0.95, 0.7, 0.1, True), 3)
    keras("keras_adagrad", adagrad(1e-3, 0.1, 1e-7), 1)
    keras("keras_adagrad_epsilon", adagrad(0.05, 0.3, 0.2), 1)
    keras("nadam", nadam(2e-3, 0.9, 0.999, 1e-8, 0.004), 2)
    keras("nadam_epsilon", nadam(1e-2, 0.8, 0.95, 0.1, 0.3), 2)
    keras("keras_nadam", nadam(1e-3, 0.9, 0.999, 1e-7), 2)
    keras("keras_nadam_epsilon", nadam(1e-2, 0.8, 0.95, 0.1), 2)
    keras("lion", lion(1e-3, 0.9, 0.99, 0.0), 1)
    keras("lion_decay", lion(0.02, 0.8, 0.95, 0.3), 1)
    keras("lamb", lamb(1e-3, 0.9, 0.999, 1e-6, 0.01), 2)
    keras("lamb_decay", lamb(0.02, 0.8, 0.95, 0.1, 0.3), 2)
    keras("keras_sgd_scheduled", sgd(lambda t: 0.05 / t, 0.8, False), 1)
    keras("keras_nesterov_scheduled", sgd(lambda t: 0.05 / t, 0.8, True), 1)
    out.write()


# --- 784-128-10 on Fashion-MNIST --------------------------------------------------------------------------------------
def read_idx(path, header):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), dtype=np.uint8, offset=header)


def read_fashion(folder, part):
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz", 8)
    return torch.from_numpy(images.astype(np.float32) / np.float32(255)), torch.from_numpy(labels.astype(np.int64))


def mlp():
    """Glorot-sized uniform kernels from draws(200), draws(201) in (in, out) order, zero biases."""

    def kernel(stream, rows, columns):
        limit = math.sqrt(6.0 / (rows + columns))
        return draws(stream, rows, columns, scale=limit).to(torch.float32).T.contiguous()

    net = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)).to(torch.float32)
    with torch.no_grad():
        net[0].weight.copy_(kernel(200, 784, 128))
        net[2].weight.copy_(kernel(201, 128, 10))
        net[0].bias.zero_()
        net[2].bias.zero_()
    return net


def fashion_mnist(folder):
    out = Header("fashion_mnist", "Loss of each of the first 200 steps of 784-128-10 in PyTorch's float.")
    x, labels = read_fashion(folder, "train")
    order = order_of(202, len(x))
    for name, batch, make in (
        ("adam", 32, lambda p: torch.optim.Adam(p, lr=1e-3, eps=1e-8)),
        ("sgd", 32, lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
    ):
        net = mlp()
        optimizer = make(net.parameters())
        curve = []
        for step in range(200):
            rows = order[step * batch : (step + 1) * batch]
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x[rows]), labels[rows])
            loss.backward()
            optimizer.step()
            curve.append(loss.item())
        print(name, curve[0], curve[-1])
        out.add(f"{name}_losses", curve)
    out.write()


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist")
    activations()
    layers()
    losses()
    distillation()
    optimizers()
    fashion_mnist(folder)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: BSL-1.0
"""Writes the golden data of distillation's terms of features from PyTorch, from the papers' formulas.

    /usr/bin/python3 tests/golden/generate_distillation.py

Everything is in double. A value is rows · the formula's mean, as tenon's terms return it; the gradient is that of the value at
the student's features. Maps are (rows, height, width, channels) in the files and channels first in PyTorch.

Student and teacher: draws(60) and draws(61), vectors (6, 10) and (6, 14), or (6, 10) both where they are compared value by
value; maps draws(62) (3, 6, 6, 4) and draws(63) (3, 4, 4, 5), the same shape (3, 6, 6, 4) where values are compared. Three
cases each: to ±1, to ±100, and one row (of maps: to ±1 and one row).
"""
import torch
import torch.nn.functional as F

from generate import Header, draws


def smooth(a, b):
    return F.smooth_l1_loss(a, b, reduction="mean")


def relational(distance, angle):
    def lengths(f):
        d = ((f[:, None] - f[None]) ** 2).sum(2).clamp(min=1e-12).sqrt()
        return d * (1 - torch.eye(len(f)))

    def angles(f):
        e = F.normalize(f[None] - f[:, None], dim=2)
        return torch.bmm(e, e.transpose(1, 2))

    def function(s, t):
        loss = 0 * s.sum()
        if distance and len(s) > 1:
            d, e = lengths(s), lengths(t)
            loss = loss + distance * smooth(d / d[d > 0].mean(), e / e[e > 0].mean())
        if angle:
            loss = loss + angle * smooth(angles(s), angles(t))
        return loss

    return function


def similarity(s, t):
    g, h = F.normalize(s @ s.T, dim=1), F.normalize(t @ t.T, dim=1)
    return ((g - h) ** 2).sum() / len(s) ** 2


def probabilistic(s, t):
    def p(f):
        f = f / (f.norm(dim=1, keepdim=True) + 1e-7)
        k = (f @ f.T + 1) / 2
        return k / k.sum(1, keepdim=True)

    a, b = p(s), p(t)
    return (b * ((b + 1e-7) / (a + 1e-7)).log()).mean()


def congruence(s, t):
    d = (s - t).abs()
    return (d[:-1] * d[1:]).sum(1).mean() if len(s) > 1 else 0 * s.sum()


def factor(s, t):
    return (F.normalize(s.reshape(len(s), -1)) - F.normalize(t.reshape(len(t), -1))).abs().mean()


def both_pooled(s, t):
    """Each extent to the smaller of the two."""
    size = [min(a, b) for a, b in zip(s.shape[2:], t.shape[2:])]
    return F.adaptive_avg_pool2d(s, size), F.adaptive_avg_pool2d(t, size)


def attention(power, paper):
    def function(s, t):
        s, t = both_pooled(s, t)
        q = [F.normalize(f.abs().pow(power).mean(1).reshape(len(f), -1)) for f in (s, t)]
        return (q[0] - q[1]).norm(dim=1).mean() if paper else ((q[0] - q[1]) ** 2).mean()

    return function


def selectivity(s, t):
    s, t = (F.normalize(f.reshape(*f.shape[:2], -1), dim=2) for f in both_pooled(s, t))
    k = lambda a, b: ((a @ b.transpose(1, 2)) ** 2).mean()
    return k(t, t) + k(s, s) - 2 * k(s, t)


def main():
    out = Header("distillation_features", "Terms of features: value and gradient.", "generate_distillation.py")

    def write(name, function, s, t, first):
        s = s.clone().requires_grad_()
        value = len(s) * function(s, t)
        value.backward()
        gradient = s.grad if first else s.grad.permute(0, 2, 3, 1)
        out.add(f"{name}_value", value)
        out.add(f"{name}_gradient", gradient.contiguous())

    def vectors(name, function, width):
        for case, scale, count in (("", 1.0, 6), ("_100", 100.0, 6), ("_row", 1.0, 1)):
            s, t = draws(60, 6, 10, scale=scale), draws(61, 6, width, scale=scale)
            write(name + case, function, s[:count], t[:count], True)

    def maps(name, function, shape=(4, 4, 5)):
        for case, count in (("", 3), ("_row", 1)):
            s, t = draws(62, 3, 6, 6, 4).permute(0, 3, 1, 2), draws(63, 3, *shape).permute(0, 3, 1, 2)
            write(name + case, function, s[:count], t[:count], False)

    vectors("hint", lambda s, t: ((s - t) ** 2).mean(), 10)
    vectors("relational", relational(25, 50), 14)
    vectors("distances", relational(1, 0), 14)
    vectors("angles", relational(0, 1), 14)
    vectors("similarity", similarity, 14)
    vectors("probabilistic", probabilistic, 14)
    vectors("congruence", congruence, 10)
    vectors("factor", factor, 10)
    maps("attention", attention(2, False))
    maps("attention_paper", attention(2, True))
    maps("attention_1", attention(1, False))
    maps("attention_uneven", attention(2, False), (9, 5, 3))
    maps("selectivity", selectivity)
    maps("selectivity_same", selectivity, (6, 6, 3))

    # Terms that learn: the kernel of a Dense layer without bias is draws(64), the others' draws(65).
    s, t = draws(60, 6, 10).requires_grad_(), draws(61, 6, 14)
    kernel = draws(64, 10, 14).requires_grad_()
    a = (torch.log(torch.expm1(torch.tensor(5 - 1e-5))) + torch.zeros(14)).requires_grad_()
    variance = F.softplus(a) + 1e-5
    value = 6 * (0.5 * ((s @ kernel - t) ** 2 / variance + variance.log())).mean()
    value.backward()
    for name, each in (("value", value), ("gradient", s.grad), ("kernel", kernel.grad), ("a", a.grad)):
        out.add(f"variational_{name}", each)

    s, t = draws(60, 6, 10).requires_grad_(), draws(61, 6, 14)
    own, other = draws(64, 10, 8).requires_grad_(), draws(65, 14, 8).requires_grad_()
    h = F.normalize(s @ own) @ F.normalize(t @ other).T / 0.07
    labels = torch.arange(6)
    value = F.cross_entropy(h, labels, reduction="sum") + F.cross_entropy(h.T, labels, reduction="sum")
    value.backward()
    for name, each in (("value", value), ("gradient", s.grad), ("student", own.grad), ("teacher", other.grad)):
        out.add(f"contrastive_{name}", each)
    contrastive_bank(out)
    out.write()


def contrastive_bank(out):
    """Rows 4, 0, 7, 2, 8, 5 of a dataset of 9, each against the five rows behind it; the first batch, then a second one."""
    numbers, rows, others, temperature, epsilon = torch.tensor([4, 0, 7, 2, 8, 5]), 9, 5, 0.07, 1e-7
    index = (numbers[:, None] + torch.arange(others + 1)) % rows  # the row itself first
    s, t = draws(60, 6, 10).requires_grad_(), draws(61, 6, 14)
    own, other = draws(64, 10, 8).requires_grad_(), draws(65, 14, 8).requires_grad_()
    bank = F.normalize(draws(66, 2, rows, 8), dim=2)
    z = [None, None]

    def loss(s, t):
        u, v = F.normalize(s @ own), F.normalize(t @ other)
        total = 0
        for way, (memory, f) in enumerate(((bank[1], u), (bank[0], v))):
            h = ((memory[index] * f[:, None]).sum(2) / temperature).exp()
            if z[way] is None:
                z[way] = h.mean().item() * rows
            p, c = h / z[way], others / rows
            total = total - (p[:, 0] / (p[:, 0] + c + epsilon)).log().sum()
            total = total - (c / (p[:, 1:] + c + epsilon)).log().sum()
        return total, u, v

    value, u, v = loss(s, t)
    value.backward()
    for name, each in (("value", value), ("gradient", s.grad), ("student", own.grad), ("teacher", other.grad)):
        out.add(f"contrastive_bank_{name}", each)
    for memory, f in ((bank[0], u), (bank[1], v)):
        memory[numbers] = F.normalize(0.5 * memory[numbers] + 0.5 * f.detach())
    out.add("contrastive_bank_after", bank)
    out.add("contrastive_bank_next_value", loss(draws(67, 6, 10), t)[0])


if __name__ == "__main__":
    main()

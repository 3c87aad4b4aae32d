// SPDX-License-Identifier: BSL-1.0
// State: how a run, and whatever takes part in it, shows what has to survive a restart, piece by piece and by name. One
// function serves for writing and for reading, so that the two cannot drift apart:
//     void state(State& state) { state.value("waited", waited); state.list("best", best); }
#pragma once

#include <tenon/core/error.hpp>
#include <tenon/network/slot_names.hpp>

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace tenon::inline TENON_ISA {

class State {
public:
    enum class Kind : unsigned char { u64, f32, f64 };

    // Values in memory: (extents) row-major, the i-th at index(i) where there is an index.
    struct Piece {
        Kind kind;
        const std::size_t* extents;
        std::size_t rank;
        std::size_t count;
        void* data;
        std::size_t (*index)(std::size_t logical) = nullptr;
    };

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    virtual ~State() = default;

    // Whether values are put into the pieces; otherwise they are taken from there.
    virtual bool reads() const = 0;

    void value(const std::string& name, std::uint64_t& number) { one(name, Kind::u64, &number); }
    void value(const std::string& name, double& number) { one(name, Kind::f64, &number); }
    void value(const std::string& name, int& number)
    {
        double wide = number;
        value(name, wide);
        number = static_cast<int>(wide);
    }
    void value(const std::string& name, bool& flag)
    {
        std::uint64_t wide = flag;
        value(name, wide);
        flag = wide != 0;
    }

    // Any number of values.
    void list(const std::string& name, std::vector<double>& values)
    {
        values.resize(length(name, values.size()));
        const std::size_t extents[] = {values.size()};
        piece(name, {Kind::f64, extents, 1, values.size(), values.data()});
    }

    // A block with the layout of a network's parameters, slot by slot in logical order: `prefix` "dense_1/kernel" and so on.
    // `learned`: the slots of running statistics are left out.
    template <class Slots, class T>
    void block(const std::string& prefix, const Slots& slots, T* data, bool learned = false)
    {
        constexpr Kind kind = std::is_same_v<T, float> ? Kind::f32 : Kind::f64;
        for (const SlotInfo& slot : slots)
            if (!learned || slot.role == Role::learned)
                piece(prefix + detail::slot_name(slot),
                      {kind, slot.extents, slot.rank, slot.size, data + slot.offset, slot.index});
    }

    // A number that must be the same on both sides, such as the rows of the dataset: `what` and the two numbers are in the
    // sentence if it is not.
    void same(const std::string& name, const char* what, std::uint64_t number)
    {
        std::uint64_t other = number;
        value(name, other);
        if (other != number) differs(what, std::to_string(other), std::to_string(number));
    }

    // One piece, as all of the above.
    virtual void piece(const std::string& name, const Piece& piece) = 0;

protected:
    // The number of values of a list: the one in memory, or the one that will be read.
    virtual std::size_t length(const std::string& name, std::size_t in_memory) = 0;
    // Throws Error: what was saved is not what is asked for.
    [[noreturn]] virtual void differs(const char* what, const std::string& saved, const std::string& wanted) = 0;

private:
    void one(const std::string& name, Kind kind, void* number)
    {
        static constexpr std::size_t extents[] = {1};
        piece(name, {kind, extents, 1, 1, number});
    }
};

}  // namespace tenon

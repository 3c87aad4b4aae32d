// SPDX-License-Identifier: BSL-1.0
// Recorded: a teacher's outputs for one dataset, computed once and known by the rows' numbers.
#pragma once

#include <tenon/data/dataset.hpp>
#include <tenon/distillation/cache.hpp>
#include <tenon/training/loss_state.hpp>

#include <numeric>
#include <span>
#include <string>

#if __has_include(<sys/mman.h>)
#    include <tenon/data/mapped_file.hpp>
#    include <tenon/io/file.hpp>
#    define TENON_DETAIL_MAPS_FILES 1
#else
#    define TENON_DETAIL_MAPS_FILES 0
#endif

namespace tenon::inline TENON_ISA::distillation {

namespace detail {

// Takes the place of every final layer that some term could.
struct Everything {
    template <class Layer>
    static constexpr bool absorbs = gives_probabilities<Layer> || std::is_same_v<Layer, Sigmoid>;
};

// Whether two losses leave a teacher with the same last layer.
template <class Teacher, class A, class B>
struct SameEnd;
template <class Net, class P, class A, class B>
struct SameEnd<ModelTeacher<Net, P>, A, B> {
    static constexpr bool value =
        std::is_same_v<loss_input_chain<A, typename Net::chain>, loss_input_chain<B, typename Net::chain>>;
};
template <class... Teachers, class A, class B>
struct SameEnd<Ensemble<Teachers...>, A, B> {
    static constexpr bool value = (SameEnd<Teachers, A, B>::value && ...);
};

template <class D>
struct RowsStayTheSame {
    static constexpr bool value = !data::VariesByEpoch<D>;
    static_assert(
        !data::VariesByEpoch<D>,
        "tenon: Recorded keeps one output for each row, and an augmented dataset's rows change with the epoch: "
        "use the teacher itself.");
};

template <class Teacher, class Loss>
struct RecordsWhatIsCompared {
    static constexpr bool value = SameEnd<Teacher, Everything, Loss>::value;
    static_assert(
        SameEnd<Teacher, Everything, Loss>::value,
        "tenon: a Recorded keeps logits, and no term of this objective takes the place of the teacher's final "
        "Softmax or Sigmoid: use a Cache.");
};

}  // namespace detail

// Recorded recorded{teacher, dataset.train}; Objective{recorded, …}: in a fit on that very dataset a step copies the teacher's
// outputs by row number, and costs next to nothing more than one without a teacher. Any other rows, such as a validation set's
// or those of step(), run the teacher.
// Everything is computed when the object is made, or read from `file`, which is mapped into memory, if that was made for the
// same weights and data; otherwise the file is written anew. A file that is no recording is left alone: Error.
// Rows must come from the dataset the same each time. Augmented datasets (data/augment.hpp) do not compile. Others are refused
// (Error) when a second look shows other values; in training one row of each batch is compared with the one that was recorded,
// and Error thrown if it is another: use a Cache there, or the teacher itself.
// It holds the outputs before a final Softmax or Sigmoid, and 8 bytes a row. Teacher and dataset must outlive it and stay as
// they are.
template <class Teacher, class D>
class Recorded {
public:
    using scalar = typename Teacher::scalar;
    using input_shape = typename Teacher::input_shape;
    using output_shape = typename Teacher::output_shape;
    static constexpr bool valid = Teacher::valid;

    Recorded(Teacher teacher, const D& dataset, const Team& team = {}) : teacher_{teacher}, dataset_{&dataset}
    {
        if constexpr (checked<detail::RowsStayTheSame<D>>::value) record(dataset, team, true);
        outputs_ = memory_.data();
    }
#if TENON_DETAIL_MAPS_FILES
    Recorded(Teacher teacher, const D& dataset, const std::string& file, const Team& team = {})
        : teacher_{teacher}, dataset_{&dataset}
    {
        [[maybe_unused]] constexpr bool asked = checked<detail::RowsStayTheSame<D>>::value;
        record(dataset, team, false);  // the keys, which tell whether the file is for these rows
        const Header wanted = header();
        if (!map(file, wanted)) {
            record(dataset, team, true);
            write(file, wanted);
            memory_.clear();
            memory_.shrink_to_fit();
            if (!map(file, wanted)) throw Error("tenon: Recorded: " + file + " is not what was just written to it");
        }
    }
#endif
    Recorded(const Recorded&) = delete;
    Recorded& operator=(const Recorded&) = delete;

    std::size_t size() const { return keys_.size(); }
    // The outputs of one row.
    const scalar* operator[](std::size_t row) const { return outputs_ + row * output_shape::size; }

    template <class Loss>
    void outputs(std::size_t rows, const scalar* inputs, scalar* y, const Team& team) const
    {
        teacher_.template outputs<Loss>(rows, inputs, y, team);
    }

    template <class Loss>
    void outputs_of(const LossRows<scalar>& batch, scalar* y) const
    {
        if constexpr (checked<detail::RecordsWhatIsCompared<Teacher, Loss>>::value) {
            if (batch.dataset != dataset_ || batch.numbers == nullptr || batch.rows == 0)
                return teacher_.template outputs<Loss>(batch.rows, batch.inputs, y, batch.team);
            const std::size_t looked_at = batch.numbers[0] % batch.rows;
            if (key(batch.inputs + looked_at * input_shape::size) != keys_[batch.numbers[looked_at]])
                differs(batch.numbers[looked_at]);
            for (std::size_t r = 0; r < batch.rows; ++r) {
                // Rows lie anywhere: the next ones are asked for ahead.
                if (r + ahead < batch.rows) simd::prefetch((*this)[batch.numbers[r + ahead]]);
                const scalar* from = (*this)[batch.numbers[r]];
                scalar* to = y + r * output_shape::size;
                for (std::size_t i = 0; i < output_shape::size; ++i) to[i] = from[i];
            }
        }
    }

private:
    static constexpr std::size_t ahead = 8;

    // Numbers as this machine has them: the file is a cache, not an archive.
    struct Header {
        char magic[8] = {'t', 'e', 'n', 'o', 'n', 'r', 'e', 'c'};
        std::uint64_t version = 1, scalar_bytes = sizeof(scalar), rows = 0, outputs = output_shape::size;
        std::uint64_t teacher = 0, data = 0, reserved = 0;

        friend bool operator==(const Header&, const Header&) = default;
    };

    static std::uint64_t key(const scalar* row)
    {
        return detail::key_of_row(row, input_shape::size * sizeof(scalar), 0).first;
    }

    Header header() const
    {
        Header result;
        result.rows = keys_.size();
        result.teacher = teacher_.fingerprint();
        for (const std::uint64_t each : keys_) result.data = detail::mix(result.data ^ each) + each;
        return result;
    }

    // Keys of all rows, and outputs too where asked for.
    void record(const D& dataset, const Team& team, bool outputs)
    {
        constexpr std::size_t in = input_shape::size, out = output_shape::size;
        const std::size_t rows = dataset.size(), block = 256 * (team.threads == 0 ? 1 : team.threads);
        keys_.resize(rows);
        if (outputs) memory_.resize(rows * out);
        std::vector<scalar> inputs(block * in);
        std::vector<typename D::target_type> targets(block * D::target_size);
        std::vector<std::uint32_t> numbers(block);
        for (std::size_t first = 0; first < rows; first += block) {
            const std::size_t count = rows - first < block ? rows - first : block;
            std::iota(numbers.begin(), numbers.end(), static_cast<std::uint32_t>(first));
            const auto gather = [&] {
                team.split(count, least_rows, 1, [&](std::size_t begin, std::size_t end) {
                    dataset.gather(std::span<const std::uint32_t>(numbers.data() + begin, end - begin),
                                   inputs.data() + begin * in, targets.data() + begin * D::target_size);
                    for (std::size_t r = begin; r < end; ++r) {
                        const std::uint64_t found = key(inputs.data() + r * in);
                        if (keys_[first + r] != 0 && keys_[first + r] != found)
                            keys_[first + r] = 0;
                        else
                            keys_[first + r] = found;
                    }
                });
            };
            gather();
            if (first == 0) gather();  // a second look at the first rows
            for (std::size_t r = 0; r < count; ++r)
                if (keys_[first + r] == 0) differs(first + r);
            if (!outputs) continue;
            // A block of a single row may sum in another order: it comes twice.
            if (count == 1) {
                std::vector<scalar> twice(2 * out);
                inputs.resize(2 * in);
                for (std::size_t i = 0; i < in; ++i) inputs[in + i] = inputs[i];
                teacher_.template outputs<detail::Everything>(2, inputs.data(), twice.data(), team);
                for (std::size_t i = 0; i < out; ++i) memory_[first * out + i] = twice[i];
            } else {
                teacher_.template outputs<detail::Everything>(count, inputs.data(), memory_.data() + first * out, team);
            }
        }
    }

    [[noreturn]] static void differs(std::size_t row)
    {
        throw Error(sentence("tenon: Recorded: row ", row,
                             " of the dataset has other values than when it was recorded: with random augmentation, or "
                             "after a change of the data, use a Cache or the teacher itself"));
    }

#if TENON_DETAIL_MAPS_FILES
    bool map(const std::string& file, const Header& wanted)
    {
        int reason = 0;
        Status opened = data::MappedFile::open(file, mapped_, &reason);
        if (!opened && reason != ENOENT) throw Error("tenon: " + opened.error());
        if (mapped_.size() == 0) return false;
        Header found;
        const Header expected;
        if (mapped_.size() >= sizeof found) std::memcpy(&found, mapped_.data(), sizeof found);
        if (mapped_.size() < sizeof found || std::memcmp(found.magic, expected.magic, sizeof found.magic) != 0)
            throw Error("tenon: Recorded: " + file + " is there and is no recording: it was left alone");
        if (!(found == wanted) || mapped_.size() != sizeof found + found.rows * output_shape::size * sizeof(scalar))
            return false;
        outputs_ = reinterpret_cast<const scalar*>(mapped_.data() + sizeof found);
        return true;
    }
    void write(const std::string& path, const Header& header)
    {
        io::AtomicFile<> file;
        const auto done = [](const Status& status) {
            if (!status) throw Error("tenon: " + status.error());
        };
        done(file.create(path));
        done(file.write(&header, sizeof header));
        done(file.write(memory_.data(), memory_.size() * sizeof(scalar)));
        done(file.commit());
    }

    data::MappedFile mapped_;
#endif
    Teacher teacher_;
    const void* dataset_;
    std::vector<std::uint64_t> keys_;
    std::vector<scalar> memory_;
    const scalar* outputs_ = nullptr;
};
#undef TENON_DETAIL_MAPS_FILES

template <class Net, class P, class D>
Recorded(const Model<Net, P>&, const D&) -> Recorded<ModelTeacher<Net, P>, D>;
template <class Net, class P, class D>
Recorded(const Model<Net, P>&, const D&, const Team&) -> Recorded<ModelTeacher<Net, P>, D>;
template <class Net, class P, class D>
Recorded(const Model<Net, P>&, const D&, const std::string&) -> Recorded<ModelTeacher<Net, P>, D>;
template <class Net, class P, class D>
Recorded(const Model<Net, P>&, const D&, const std::string&, const Team&) -> Recorded<ModelTeacher<Net, P>, D>;

// A recording as an objective holds it.
template <class Teacher, class D>
class RecordedTeacher {
public:
    using scalar = typename Teacher::scalar;
    using input_shape = typename Teacher::input_shape;
    using output_shape = typename Teacher::output_shape;
    static constexpr bool valid = Teacher::valid;

    // NOLINTNEXTLINE(google-explicit-constructor): a recording is a teacher
    RecordedTeacher(const Recorded<Teacher, D>& recorded) : recorded_{&recorded} {}
    RecordedTeacher(const Recorded<Teacher, D>&&) = delete;

    template <class Loss>
    void outputs(std::size_t rows, const scalar* inputs, scalar* y, const Team& team) const
    {
        recorded_->template outputs<Loss>(rows, inputs, y, team);
    }
    template <class Loss>
    void outputs_of(const LossRows<scalar>& batch, scalar* y) const
    {
        recorded_->template outputs_of<Loss>(batch, y);
    }

private:
    const Recorded<Teacher, D>* recorded_;
};

}  // namespace tenon::inline TENON_ISA::distillation

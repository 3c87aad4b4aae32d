// SPDX-License-Identifier: BSL-1.0
//
// A hint from a map to a vector, with no layers between.
// error: tenon: these features need an adapter: name the layers that turn the student's into the teacher's shape, as Adapter<Flatten, Dense<64>>.
// note: StudentGives<Shape<6, 6, 4>>
// note: TeacherGives<Shape<20>>
#include <tenon/tenon.hpp>

#include <tenon/distillation.hpp>

using namespace tenon;
using namespace tenon::distillation;

using Cnn = Network<Input<8, 8, 1>, Conv2D<4, Kernel<3>>, ReLU, Flatten, Dense<10>>;
using Mlp = Network<Input<8, 8, 1>, Flatten, Dense<20>, ReLU, Dense<10>>;

#ifdef TENON_TWIN
using Term = Hint<At<1>, At<2>, Adapter<Flatten, Dense<20>>>;
#else
using Term = Hint<At<1>, At<2>>;
#endif

int main()
{
    Model<Mlp> teacher{Seed{1}};
    Model<Cnn> student{Seed{2}};
    Trainer{student, Objective{teacher, CrossEntropy{}, Term{}}, Adam{}}.fit(
        data::TensorDataset<Shape<8, 8, 1>, data::Label>{}, {.epochs = 0});
    return 0;
}

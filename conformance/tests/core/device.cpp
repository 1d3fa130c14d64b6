// The probe, against machines that are not here: a mock plays each of them.
#include "core/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace plumb {
namespace {

using ::testing::_;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::NiceMock;
using ::testing::Return;
using ::testing::Throw;

class MockPlatform : public Platform {
 public:
  MOCK_METHOD(std::vector<DeviceFacts>, devices, (), (override));
  MOCK_METHOD(Outcome, run, (const DeviceFacts&, TestKernel), (override));
};

const Outcome kRight{true, ""};
const Outcome kRefused{false, "no matrix units that OpenCL C reaches here"};

DeviceFacts graphics_card() {
  DeviceFacts f;
  f.index = 0;
  f.name = "Some Graphics Card";
  f.extensions = {"cl_khr_fp64", "cl_khr_int64_base_atomics"};
  f.claims_fp64 = true;
  return f;
}

DeviceFacts h200() {
  DeviceFacts f = graphics_card();
  f.name = "NVIDIA H200";
  f.compute_units = 132;
  f.compute_capability = 90;
  f.warp = 32;
  return f;
}

DeviceFacts host_processor() {
  DeviceFacts f = graphics_card();
  f.name = "pthread-cpu";
  f.is_cpu = true;
  return f;
}

// Right about everything but what a test says otherwise; without matrix units.
class Probe : public ::testing::Test {
 protected:
  Probe() {
    ON_CALL(platform, run(_, _)).WillByDefault(Return(kRight));
    answer(TestKernel::matrix_f16, kRefused);
  }
  void answer(TestKernel kernel, const Outcome& o) { ON_CALL(platform, run(_, kernel)).WillByDefault(Return(o)); }
  NiceMock<MockPlatform> platform;
};

TEST_F(Probe, AnAbsentDeviceGivesAnEmptyList) {
  EXPECT_CALL(platform, devices()).WillOnce(Return(std::vector<DeviceFacts>{}));
  EXPECT_THAT(probe_all(platform), IsEmpty());
  const Device d = choose({}, "");
  EXPECT_EQ(d.tier, Tier::unavailable);
  EXPECT_THAT(d.notes, Contains("no OpenCL device found"));
}

TEST_F(Probe, APlatformThatThrowsGivesANoteAndNoDevice) {
  EXPECT_CALL(platform, devices()).WillOnce(Throw(Error("opencl", Reason::device, "clGetPlatformIDs: broken")));
  const std::vector<Device> found = probe_all(platform);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].tier, Tier::unavailable);
  EXPECT_LT(found[0].facts.index, 0);
  EXPECT_THAT(found[0].notes, Contains(HasSubstr("clGetPlatformIDs: broken")));
  EXPECT_EQ(choose(found, "").tier, Tier::unavailable);
  EXPECT_THROW(choose(found, "0"), Error);
}

TEST_F(Probe, AnOrdinaryCardIsAGpu) {
  const Device d = probe(platform, graphics_card());
  EXPECT_EQ(d.tier, Tier::gpu);
  EXPECT_TRUE(d.fp64);
  EXPECT_TRUE(d.fp16);
  EXPECT_TRUE(d.int64_atomics);
  EXPECT_FALSE(d.matrix_f16);
  EXPECT_THAT(d.notes, Contains("no matrix_f16: no matrix units that OpenCL C reaches here"));
}

TEST_F(Probe, MatrixUnitsThatComputeRightMakeANeuralAccelerator) {
  answer(TestKernel::matrix_f16, kRight);
  const Device d = probe(platform, h200());
  EXPECT_EQ(d.tier, Tier::neural_accelerator);
  EXPECT_TRUE(d.matrix_f16);
  EXPECT_THAT(d.notes, IsEmpty());
}

TEST_F(Probe, MatrixUnitsThatComputeWrongDoNot) {
  answer(TestKernel::matrix_f16, {false, "gives a wrong answer: word 192 is 0x0, not 0x41200000"});
  const Device d = probe(platform, h200());
  EXPECT_EQ(d.tier, Tier::gpu);
  EXPECT_THAT(d.notes, Contains(HasSubstr("no matrix_f16: gives a wrong answer")));
}

TEST_F(Probe, WithoutBinary64NothingIsTried) {
  DeviceFacts f = graphics_card();
  f.claims_fp64 = false;
  f.extensions = {};
  EXPECT_CALL(platform, run(_, _)).Times(::testing::AnyNumber());
  EXPECT_CALL(platform, run(_, TestKernel::fp64)).Times(0);
  EXPECT_CALL(platform, run(_, TestKernel::int64_atomics)).Times(0);
  const Device d = probe(platform, f);
  EXPECT_EQ(d.tier, Tier::gpu);
  EXPECT_FALSE(d.fp64);
  EXPECT_FALSE(d.int64_atomics);
  EXPECT_THAT(d.notes, Contains("no fp64: cl_khr_fp64 is not listed"));
  EXPECT_THAT(d.notes, Contains("no int64_atomics: cl_khr_int64_base_atomics is not listed"));
}

TEST_F(Probe, ACompilerThatFailsMakesTheDeviceUnusable) {
  answer(TestKernel::add, {false, "does not build: clBuildProgram: CL_COMPILER_NOT_AVAILABLE (-3)"});
  EXPECT_CALL(platform, run(_, _)).Times(1);
  const Device d = probe(platform, graphics_card());
  EXPECT_EQ(d.tier, Tier::unavailable);
  EXPECT_FALSE(d.fp64);
  EXPECT_THAT(d.notes, Contains(HasSubstr("CL_COMPILER_NOT_AVAILABLE")));
}

TEST_F(Probe, ADeviceOutOfMemoryIsUnusable) {
  answer(TestKernel::add, {false, "runs out of memory: clCreateBuffer: CL_MEM_OBJECT_ALLOCATION_FAILURE (-4)"});
  const Device d = probe(platform, h200());
  EXPECT_EQ(d.tier, Tier::unavailable);
  EXPECT_THAT(d.notes, Contains(HasSubstr("out of memory")));
}

TEST_F(Probe, AnExtensionThatIsALieIsLostWithANote) {
  answer(TestKernel::fp64, {false, "does not build: use of type 'double' requires cl_khr_fp64"});
  const Device d = probe(platform, graphics_card());
  EXPECT_EQ(d.tier, Tier::gpu);
  EXPECT_FALSE(d.fp64);
  EXPECT_THAT(d.notes, Contains("claims cl_khr_fp64, but its test kernel does not build: use of type 'double' requires "
                                "cl_khr_fp64"));
}

TEST_F(Probe, ATestKernelThatThrowsIsANote) {
  ON_CALL(platform, run(_, TestKernel::fp64)).WillByDefault(Throw(std::runtime_error("the driver died")));
  const Device d = probe(platform, graphics_card());
  EXPECT_EQ(d.tier, Tier::gpu);
  EXPECT_FALSE(d.fp64);
  EXPECT_THAT(d.notes, Contains(HasSubstr("the driver died")));
}

Device device(const DeviceFacts& f, int index, Tier tier) {
  Device d;
  d.facts = f;
  d.facts.index = index;
  d.tier = tier;
  return d;
}

class Choice : public ::testing::Test {
 protected:
  const std::vector<Device> machine = {device(host_processor(), 0, Tier::gpu),
                                       device(graphics_card(), 1, Tier::unavailable),
                                       device(graphics_card(), 2, Tier::gpu), device(graphics_card(), 3, Tier::gpu),
                                       device(h200(), 4, Tier::neural_accelerator)};
};

TEST_F(Choice, TheHighestTierComesFirst) { EXPECT_EQ(choose(machine, "").facts.index, 4); }

TEST_F(Choice, AnAcceleratorComesBeforeTheHostProcessorAndTheFirstOfEquals) {
  EXPECT_EQ(choose({machine.begin(), machine.begin() + 4}, "").facts.index, 2);
  EXPECT_EQ(choose({machine.begin(), machine.begin() + 2}, "").facts.index, 0);
}

TEST_F(Choice, AnIndexOrPartOfANameOverridesTheOrder) {
  EXPECT_EQ(choose(machine, "0").facts.index, 0);
  EXPECT_EQ(choose(machine, "pthread").facts.index, 0);
  EXPECT_EQ(choose(machine, "H200").facts.index, 4);
  EXPECT_EQ(choose(machine, "1").tier, Tier::unavailable);
}

TEST_F(Choice, NoneIsADevice) {
  EXPECT_EQ(choose(machine, "none").tier, Tier::unavailable);
  EXPECT_THAT(choose(machine, "none").notes, Contains("PLUMB_DEVICE=none"));
}

TEST_F(Choice, AnUnknownNameIsAnErrorThatListsWhatIsThere) {
  try {
    choose(machine, "H300");
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::query);
    EXPECT_THAT(e.what(), HasSubstr("4 (NVIDIA H200)"));
  }
  EXPECT_THROW(choose(machine, "5"), Error);
}

TEST(DeviceNames, AreThoseOfReports) {
  EXPECT_EQ(name(Tier::unavailable), "unavailable");
  EXPECT_EQ(name(Tier::gpu), "gpu");
  EXPECT_EQ(name(Tier::neural_accelerator), "neural_accelerator");
  EXPECT_EQ(name(TestKernel::matrix_f16), "matrix_f16");
}

}  // namespace
}  // namespace plumb

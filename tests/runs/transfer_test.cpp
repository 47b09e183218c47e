// Modules that come from another run, with all that they are made of.
#include "tests/support/tiny_runs.h"

namespace weft::tests {

using testing::HasSubstr;

class Transfers : public TinyRuns {
 protected:
  // A run `a`, whose `encoder` uses a fragment of its own file and a module `inner`.
  Transfers() {
    write("a", base("inner", "inner") + R"(train:
  data: {node: idx, images: data/train-images-idx3-ubyte, batch: 48}
  nodes:
    h:    {use: encoder, x: data.image}
    loss: {node: mse, x: h, target: data.image}
  phases: [{minimize: loss, update: [encoder, inner], optimizer: {node: adam, lr: 3e-3}}]
  steps: 20
)");
    const Ended ended = weft({"train", "a.yaml", "-o", "a", "--progress", "none"});
    EXPECT_EQ(ended.exit, 0) << ended.err;
  }

  static std::string base(const std::string& name, const std::string& use) {
    return "weft: 1\nfragments:\n  twice: {inputs: [x], nodes: {a: {node: linear, x: x, features: "
           "8}, b: {node: relu, x: a}}, outputs: {y: b}}\nmodules:\n  " +
           name +
           ": {inputs: [x], nodes: {y: {node: linear, x: x, features: 64}}, outputs: {y: y}}\n"
           "  encoder: {inputs: [x], nodes: {t: {node: twice, x: x}, y: {use: " +
           use + ", x: t}}, outputs: {y: y}}\n";
  }

  nlohmann::json evaluated(const std::string& target) const {
    const Ended ended = weft({"evaluate", target, "--json"});
    EXPECT_EQ(ended.exit, 0) << ended.err;
    return ended.exit == 0 ? nlohmann::json::parse(ended.out) : nlohmann::json();
  }

  static std::string reported(const std::string& module) {
    return "evaluate:\n  data: {node: idx, images: data/t10k-images-idx3-ubyte, batch: 40}\n"
           "  nodes:\n    h:    {use: " +
           module +
           ", x: data.image}\n    loss: {node: mse, x: h, target: data.image}\n  report: [loss]\n";
  }
};

TEST_F(Transfers, BringTheirFragmentsAndModules) {
  write("own", text("a.yaml") + reported("encoder"));
  ASSERT_EQ(weft({"train", "own.yaml", "-o", "own", "--progress", "none"}).exit, 0);
  write("b", "weft: 1\nmodules: {seen: {from: own, module: encoder}}\n" + reported("seen"));
  EXPECT_EQ(evaluated("b.yaml").at("loss"), evaluated("own").at("loss"));
}

// `lent` is used by no node of its own pipeline, and made of what learned there.
TEST_F(Transfers, BringModulesThatAreMadeOfOthers) {
  const std::string lent =
      "fragments:\n  half: {params: {by: $by}, inputs: [x], nodes: {y: {node: scale, x: x, by: "
      "$by}}, outputs: {y: y}}\n";
  const std::string module =
      "  lent: {inputs: [x], nodes: {h: {node: half, x: x}, y: {use: encoder, x: h}}, outputs: {y: "
      "y}}\n";
  write("own", replaced(replaced(text("a.yaml"), "fragments:\n", "vars: {by: 1}\n" + lent),
                        "modules:\n", "modules:\n" + module) +
                   reported("encoder"));
  const Ended ended = weft({"train", "own.yaml", "-o", "own", "--progress", "none"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  write("b", "weft: 1\nmodules: {seen: {from: own, module: lent}}\n" + reported("seen"));
  EXPECT_EQ(evaluated("b.yaml").at("loss"), evaluated("own").at("loss"));
}

// `inner` here is another module: the run's comes under a name of its own.
TEST_F(Transfers, TakeNoModuleForOneOfTheSameName) {
  write("own", text("a.yaml") + reported("encoder"));
  ASSERT_EQ(weft({"train", "own.yaml", "-o", "own", "--progress", "none"}).exit, 0);
  write("b",
        "weft: 1\nmodules:\n  seen: {from: own, module: encoder}\n"
        "  inner: {inputs: [x], nodes: {y: {node: linear, x: x, features: 64}}, outputs: {y: y}}\n"
        "train:\n  data: {node: idx, images: data/train-images-idx3-ubyte, batch: 48}\n"
        "  nodes:\n    h: {use: seen, x: data.image}\n    i: {use: inner, x: h}\n"
        "    out: {node: mse, x: i, target: data.image}\n"
        "    loss: {node: mse, x: h, target: data.image}\n"
        "  phases: [{minimize: out, update: inner, optimizer: {node: adam, lr: 1e-3}}]\n"
        "  report: [loss]\n  steps: 2\n"
        "evaluate:\n  data: {images: data/t10k-images-idx3-ubyte}\n  report: [loss]\n");
  const Ended ended = weft({"train", "b.yaml", "-o", "b", "--progress", "none"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  EXPECT_NEAR(evaluated("b").at("loss").get<double>(), evaluated("own").at("loss").get<double>(),
              1e-6);
}

TEST_F(Transfers, TakeNoModuleOfOursForOneThatTheirFragmentUses) {
  write("own",
        replaced(replaced(text("a.yaml"), "b: {node: relu, x: a}}", "b: {use: inner, x: a}}"),
                 "y: {use: inner, x: t}}", "y: {node: linear, x: t, features: 64}}"));
  ASSERT_EQ(weft({"train", "own.yaml", "-o", "own", "--progress", "none"}).exit, 0);
  const std::string ours =
      "  inner: {inputs: [x], nodes: {y: {node: linear, x: x, features: 64}}, outputs: {y: y}}\n";
  write("b", "weft: 1\nmodules:\n  seen: {from: own, module: encoder}\n" + ours + reported("seen"));
  const Ended ended = weft({"evaluate", "b.yaml"});
  EXPECT_EQ(ended.exit, 2);
  EXPECT_THAT(ended.err, HasSubstr("module `inner` is another here than in the run `own`, whose "
                                   "fragment `twice` uses it"));
  write("c", "weft: 1\nmodules:\n  inner: {from: own}\n  seen: {from: own, module: encoder}\n" +
                 reported("seen"));
  EXPECT_EQ(weft({"evaluate", "c.yaml"}).exit, 0);
}

TEST_F(Transfers, OfWhatOnlyGenerateUsesAreSaved) {
  write("b",
        "weft: 1\nmodules:\n  seen: {from: a, module: encoder}\n"
        "  own: {inputs: [x], nodes: {y: {node: linear, x: x, features: 64}}, outputs: {y: y}}\n"
        "train:\n  data: {node: idx, images: data/train-images-idx3-ubyte, batch: 48}\n"
        "  nodes:\n    i: {use: own, x: data.image}\n"
        "    loss: {node: mse, x: i, target: data.image}\n"
        "  phases: [{minimize: loss, update: own, optimizer: {node: adam, lr: 1e-3}}]\n"
        "  steps: 2\n"
        "generate:\n  nodes:\n    z: {node: normal, shape: [4, 64]}\n    y: {use: seen, x: z}\n"
        "    i: {use: own, x: y}\n    save: {node: npy_file, x: i, path: y.npy}\n");
  const Ended ended = weft({"train", "b.yaml", "-o", "b", "--progress", "none"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  const Ended drawn = weft({"generate", "b"});
  EXPECT_EQ(drawn.exit, 0) << drawn.err;
}

TEST_F(Transfers, OfTheCheckpointThatIsNamed) {
  write("vae", tiny_vae());
  ASSERT_EQ(train("vae", "v").exit, 0);
  const auto first = [&](const std::string& from) {
    write("b", "weft: 1\nmodules: {decoder: {from: " + from +
                   "}}\ngenerate:\n  nodes:\n    z: {node: normal, shape: [4, 4]}\n"
                   "    y: {use: decoder, z: z}\n    save: {node: npy_file, x: y, path: y.npy}\n");
    const Ended ended = weft({"generate", "b.yaml", "-o", "drawn"});
    EXPECT_EQ(ended.exit, 0) << ended.err;
    return ended.err;
  };
  EXPECT_THAT(first("v"), HasSubstr("`decoder` is of step 60 of v"));
  const std::string last = text("drawn/y.npy");
  EXPECT_THAT(first("{run: v, checkpoint: 56}"), HasSubstr("`decoder` is of step 56 of v"));
  EXPECT_NE(text("drawn/y.npy"), last);
  EXPECT_THAT(first("{run: v, checkpoint: best}"), HasSubstr("`decoder` is of step"));
  EXPECT_THAT(weft({"evaluate", "v"}).err, HasSubstr("weft: step 60 of v"));
  ASSERT_EQ(weft({"check", "b.yaml"}).exit, 0);
  std::filesystem::remove(folder_ / "v/checkpoints/best");
  const Ended checked = weft({"check", "b.yaml"});  // refuses what training would
  EXPECT_EQ(checked.exit, 6);
  EXPECT_THAT(checked.err,
              HasSubstr("b.yaml:2:11: module `decoder`: v/checkpoints: no checkpoint"));
}

}  // namespace weft::tests

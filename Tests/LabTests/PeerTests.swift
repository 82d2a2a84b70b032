// The shipped compositions of real peers, each for real: brought up with two nodes, its test passed as
// an ordinary user, a node added and used, and two taken away.

import Compositions
import Testing

@testable import Lab

extension LabSuite {
  @Suite("labs of real peers")
  struct PeerTests {
    static let names = ["slurm", "oar2", "kubernetes", "oar2-kubernetes", "slurm-kubernetes"]

    @Test(
      "comes up, passes its own test, and goes on with more nodes and with fewer", arguments: names)
    func peer(name: String) throws {
      let file = try CompositionFile.shipped(name)
      try TestLab.run(name, try file.composition(nodes: 2)) { (test) throws in
        try pass(test)
        for nodes in [3, 1] {
          try test.start(try file.composition(nodes: nodes))
          try pass(test)
        }
      }
    }

    /// Passes the test of the composition, as `lab test` does.
    private func pass(_ test: TestLab) throws {
      let script = try #require(try test.lab.settings()?.composition.test)
      let result = try test.lab.output(
        of: HostCommand(HostPlan.shell(script), user: "user1"), on: "frontend")
      #expect(result.code == 0, "\(result.text)")
    }
  }
}

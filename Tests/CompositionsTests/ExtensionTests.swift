// Compositions that extend shipped ones: what is joined, what their own words change, and errors.

import Compositions
import Testing

@Suite("Extending compositions")
struct ExtensionTests {
  private func read(_ text: String) throws(CompositionError) -> CompositionFile {
    try CompositionFile(reading: text, name: "lab.yaml")
  }

  @Test("two compositions become one: services, scripts, packages and tests of both")
  func joined() throws {
    let both = try CompositionFile.shipped("slurm-kubernetes").base
    let slurm = try CompositionFile.shipped("slurm").base
    let kubernetes = try CompositionFile.shipped("kubernetes").base
    #expect(both.name == "slurm-kubernetes")
    #expect(both.hosts.sorted() == slurm.hosts.sorted())
    for role in ["server", "frontend", "node"] {
      let parts = try [slurm, kubernetes].map { try #require($0.role(role)) }
      let whole = try #require(both.role(role))
      #expect(whole.services == parts.flatMap(\.services))
      #expect(whole.prepare == parts.flatMap(\.prepare))
      #expect(whole.files.count == parts.flatMap(\.files).count)
    }
    #expect(Set(both.packages) == Set(slurm.packages + kubernetes.packages))
    #expect(both.steps == slurm.steps + kubernetes.steps)
    #expect(both.builds == kubernetes.builds)
    let tests = [slurm, kubernetes].compactMap(\.test)
    #expect(both.test == tests.joined(separator: "\n"))
  }

  @Test("own words are laid over what is extended, as those of a set-up are")
  func overlaid() throws {
    let slurm = try CompositionFile.shipped("slurm").base
    let own = try read(
      """
      name: mine
      extends: slurm
      +packages: [vim-tiny]
      variables: {SLURM_CPUS: "64"}
      roles:
        node: {count: 7}
      """
    ).base
    #expect(own.packages == slurm.packages + ["vim-tiny"])
    #expect(own.role("node")?.hosts.count == 7)
    #expect(own.role("node")?.services == slurm.role("node")?.services)
    #expect(own.variables.first { $0.name == "SLURM_CPUS" }?.value == "64")
  }

  @Test("a name that there is not is told with those that there are")
  func unknown() {
    let error = #expect(throws: CompositionError.self) {
      try read("name: mine\nextends: [slurn]\nroles: {server: }\n")
    }
    let problem = error?.problems.first
    #expect(problem?.line == 2)
    #expect(problem?.message.contains("\"slurn\"") == true)
    #expect(problem?.message.contains("slurm-kubernetes") == true)
  }

  @Test("what own words break of the extended composition is told on the line of extends")
  func broken() {
    let error = #expect(throws: CompositionError.self) {
      try read("name: mine\nextends: slurm\nroles: {server: null}\n")
    }
    #expect(error?.problems.isEmpty == false)
    #expect(error?.problems.allSatisfy { $0.line == 2 } == true)
  }
}

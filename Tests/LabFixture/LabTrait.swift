// The trait that gives a suite its lab: started before the first story, stopped after the last, however
// these ended. One lab at a time in a test process, for a machine may have but two cores.

import Testing

package struct LabTrait: SuiteTrait, TestScoping {
  let label: String
  let nodes: Int
  /// Lines for oar.conf on the server, which is started again with them.
  let configuration: [String]

  package func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? {
    test.isSuite && testCase == nil ? self : nil
  }

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    await LabTurn.shared.take()
    do {
      try await inLab(function)
      await LabTurn.shared.pass()
    } catch {
      await LabTurn.shared.pass()
      throw error
    }
  }

  private func inLab(_ function: @Sendable () async throws -> Void) async throws {
    let lab = try LabFixture(label: label)
    do {
      try await lab.start(nodes: nodes)
      if !configuration.isEmpty { try await lab.configure(configuration) }
      try await LabFixture.$current.withValue(lab) { try await function() }
      try await lab.expectServerLives()
    } catch {
      try? await lab.stop()
      throw error
    }
    try await lab.stop()
  }
}

extension Trait where Self == LabTrait {
  /// A lab of so many nodes for the stories of a suite.
  package static func lab(_ label: String, nodes: Int = 3, configuration: [String] = []) -> Self {
    LabTrait(label: label, nodes: nodes, configuration: configuration)
  }
}

/// Whose turn it is to have a lab.
private actor LabTurn {
  static let shared = LabTurn()
  private var isTaken = false
  private var queue: [CheckedContinuation<Void, Never>] = []

  func take() async {
    if isTaken {
      await withCheckedContinuation { queue.append($0) }
    } else {
      isTaken = true
    }
  }

  func pass() {
    if queue.isEmpty { isTaken = false } else { queue.removeFirst().resume() }
  }
}

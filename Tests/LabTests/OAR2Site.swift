// A real OAR 2 in a lab with some of ours in it: what the tests of such sites have in common.

import Compositions
import Testing

@testable import Lab

extension TestLab {
  /// Runs the body on a shipped lab with two nodes and our programs, after the test that the lab brings along.
  ///
  /// - Parameter change: what is different in this test.
  static func runShipped(
    _ shipped: String, change: (inout Composition) throws -> Void = { _ in },
    _ body: (TestLab) throws -> Void
  ) throws {
    var composition = try CompositionFile.shipped(shipped).composition(nodes: 2)
    try composition.share(programs: program)
    try change(&composition)
    try run(shipped, composition) { (test) throws in
      _ = try test.sh("frontend", try #require(composition.test), user: "user1")
      try body(test)
    }
  }

  /// Runs a shell's command as a user of OAR's, with words for jobs: `ask` submits and says the ids, `await JOB
  /// STATE` waits for a state.
  func user(_ command: String) throws -> String {
    try sh("frontend", Self.words + command, user: "user1")
  }

  private static let words = """
    cd
    ask() { oarsub "$@" 2>&1 | sed -n 's/^OAR_JOB_ID=\\([0-9]\\)/\\1/p'; }
    await() {
      tries=1800
      until [ "$(oarstat -s -j "$1" | sed 's/.*: //')" = "$2" ]; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { oarstat -fj "$1"; exit 1; }
        sleep 0.1
      done
    }

    """
}

// What `make demo` shows, told with the programs under test.

import LabFixture
import Testing

@Suite("The demo", .serialized, .lab("demo", nodes: 3))
struct DemoStory {
  private let repository = String(#filePath.dropLast("/Tests/Stories/DemoStory.swift".count))

  @Test("it tells its whole story: counts, seasons, a chain, a failure, a walltime, a wait")
  func demo() async throws {
    let lab = try LabFixture.here
    let words = ["\(repository)/Demo/run", lab.binaries, lab.name]
    let result = try await offThread { try Subprocess(words).finish(within: 300) }
    #expect(result.exitCode == 0, "\(result)")
    let told = [
      "counts on 2 hosts", "the ten commonest words:", "autumn has 91 days",
      "Terminated ended with exit code 3", "exit_code = 768 (3,0,0)",
      "was ended after its walltime of 4 s", "The plan", "12 cores", "lab connect",
    ]
    for text in told { #expect(result.stdout.contains(text), "\"\(text)\" is missing: \(result)") }
  }
}

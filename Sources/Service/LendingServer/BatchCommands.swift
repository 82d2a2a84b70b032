// Commands of a batch system, run without a shell.

import CLinux
import Glibc
import NodeConnections
import Wire

struct BatchCommands: Sendable {
  let loop: EventLoop
  /// Their whole environment, beside the language.
  let environment: [String: String]
  /// Seconds that a command may take.
  private static let limit = 10.0

  /// What a command prints, once it has ended with 0.
  ///
  /// - Throws: ``BatchError``.
  func output(_ words: [String]) async throws -> String {
    let file = clinux_memory_file("", 0)
    defer { close(file) }
    let program = ChildProgram(
      words[0], Array(words.dropFirst()),
      environment: environment.merging(["LC_ALL": "C"]) { own, _ in own })
    let end: ChildEnd = try await withCheckedThrowingContinuation { continuation in
      loop.post { [loop] in
        do {
          let child = try program.start(output: file)
          loop.wait(for: child, limit: Self.limit) { continuation.resume(returning: $0) }
        } catch {
          continuation.resume(throwing: BatchError(description: "\(error)"))
        }
      }
    }
    if let problem = end.problem { throw BatchError(description: "\(words[0]) \(problem)") }
    guard lseek(file, 0, SEEK_SET) == 0, let bytes = try? readFile(file, limit: 64 << 20) else {
      throw BatchError(description: "what \(words[0]) printed can't be read")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

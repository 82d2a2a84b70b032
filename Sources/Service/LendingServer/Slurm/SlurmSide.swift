// Slurm, asked by its own commands: what they print is what an administrator sees.

import CLinux
import ClusterModel
import Glibc
import NodeConnections
import Wire

/// A running Slurm.
final class SlurmSide: BatchSide {
  private let loop: EventLoop
  private let say: @Sendable (String) -> Void
  /// BEBIDA_SLURM_CONF: for sites whose slurm.conf is elsewhere.
  private let environment: [String: String]
  /// Seconds that a command may take.
  private static let limit = 10.0
  /// What marks hosts that we drained.
  static let mark = "bebida: "

  init(
    _ configuration: Configuration, loop: EventLoop, say: @escaping @Sendable (String) -> Void
  ) {
    (self.loop, self.say) = (loop, say)
    var environment = [
      "PATH": configuration.text(
        "BEBIDA_SLURM_PATH", default: "/usr/local/bin:/usr/bin:/bin:/opt/slurm/bin"),
      // Times as seconds of the epoch, names as they are.
      "SLURM_TIME_FORMAT": "%s", "LC_ALL": "C",
    ]
    if let file = configuration["BEBIDA_SLURM_CONF"], !file.isEmpty {
      environment["SLURM_CONF"] = file
    }
    self.environment = environment
  }

  func look() async throws -> BatchPicture {
    // Hosts first: a job that begins in between has hosts that are known.
    let hosts = try await output(["sinfo", "-h", "-N", "-a", "-o", SlurmReading.hostFormat])
    let jobs = try await output(["squeue", "-h", "-a", "-r", "-o", SlurmReading.jobFormat])
    let (picture, problems) = SlurmReading.picture(jobs: jobs, hosts: hosts, now: time(nil))
    for problem in problems.prefix(3) { say("cannot read \(problem)") }
    return picture
  }

  func setUsable(_ isUsable: Bool, _ host: String, reason: String) async throws {
    if !isUsable {
      _ = try await output([
        "scontrol", "update", "NodeName=\(host)", "State=DRAIN", "Reason=\(Self.mark)\(reason)",
      ])
      return
    }
    let now = try await output(["sinfo", "-h", "-N", "-n", host, "-o", "%E"])
    guard now.split(separator: "\n").contains(where: { $0.hasPrefix(Self.mark) }) else { return }
    _ = try await output(["scontrol", "update", "NodeName=\(host)", "State=RESUME"])
  }

  /// What a command prints, once it has ended with 0.
  private func output(_ words: [String]) async throws -> String {
    let file = clinux_memory_file("", 0)
    defer { close(file) }
    let program = ChildProgram(words[0], Array(words.dropFirst()), environment: environment)
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

// Slurm, asked by its own commands: what they print is what an administrator sees.

import ClusterModel
import Glibc
import Wire

/// A running Slurm.
final class SlurmSide: BatchSide {
  private let commands: BatchCommands
  private let say: @Sendable (String) -> Void

  init(
    _ configuration: Configuration, loop: EventLoop, say: @escaping @Sendable (String) -> Void
  ) {
    self.say = say
    var environment = [
      "PATH": configuration.text(
        "BEBIDA_SLURM_PATH", default: "/usr/local/bin:/usr/bin:/bin:/opt/slurm/bin"),
      // Times as seconds of the epoch.
      "SLURM_TIME_FORMAT": "%s",
    ]
    // For sites whose slurm.conf is elsewhere.
    if let file = configuration["BEBIDA_SLURM_CONF"], !file.isEmpty {
      environment["SLURM_CONF"] = file
    }
    commands = BatchCommands(loop: loop, environment: environment)
  }

  func look() async throws -> BatchPicture {
    // Hosts first: a job that begins in between has hosts that are known.
    let hosts = try await commands.output([
      "sinfo", "-h", "-N", "-a", "-o", SlurmReading.hostFormat,
    ])
    let jobs = try await commands.output(["squeue", "-h", "-a", "-r", "-o", SlurmReading.jobFormat])
    let (picture, problems) = SlurmReading.picture(jobs: jobs, hosts: hosts, now: time(nil))
    for problem in problems.prefix(3) { say("cannot read \(problem)") }
    return picture
  }

  func setUsable(_ isUsable: Bool, _ host: String, reason: String) async throws {
    guard isUsable else {
      return try await update(host, ["State=DRAIN", "Reason=\(SlurmReading.mark)\(reason)"])
    }
    // An administrator may have said something else meanwhile.
    let reasons = try await commands.output(["sinfo", "-h", "-N", "-n", host, "-o", "%E"])
    if reasons.hasPrefix(SlurmReading.mark) { try await update(host, ["State=RESUME"]) }
  }

  private func update(_ host: String, _ words: [String]) async throws {
    _ = try await commands.output(["scontrol", "update", "NodeName=\(host)"] + words)
  }

  /// Slurm requeues a job, or ends it, when its hook fails.
  func giveUp(_ job: String, bad: Set<String>, reason: String) async throws {}
}

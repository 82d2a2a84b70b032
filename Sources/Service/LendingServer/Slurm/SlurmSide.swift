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

  func check() async -> [LendingFinding] {
    do {
      return findings(
        in: SlurmReading.settings(try await commands.output(["scontrol", "show", "config"])))
    } catch {
      return [LendingFinding(.bad, "Slurm does not tell its settings: \(error)")]
    }
  }

  func findings(in settings: [String: String]) -> [LendingFinding] {
    var findings = [
      found(hook: settings["PrologSlurmctld"], as: "PrologSlurmctld"),
      found(hook: settings["EpilogSlurmctld"], as: "EpilogSlurmctld"),
    ]
    let flags = Set((settings["PrologFlags"] ?? "").split(separator: ",").map { $0.lowercased() })
    for (flag, reason) in [
      ("Alloc", "hooks run when the first process starts, not before the job"),
      ("DeferBatch", "a batch job begins when its first node is ready"),
    ] where !flags.contains(flag.lowercased()) {
      findings.append(LendingFinding(.bad, "PrologFlags has no \(flag): without it \(reason)"))
    }
    // 65534 is Slurm's word for no limit.
    let limit = settings["PrologEpilogTimeout"].flatMap { Int($0.prefix { $0.isNumber }) }
    if let limit, limit != 65534 {
      findings.append(found(limit: limit, as: "PrologEpilogTimeout"))
    } else {
      findings.append(
        LendingFinding(
          .doubtful, "PrologEpilogTimeout is not set: a hook that hangs is never ended"))
    }
    return findings
  }

  private func update(_ host: String, _ words: [String]) async throws {
    _ = try await commands.output(["scontrol", "update", "NodeName=\(host)"] + words)
  }

  /// Slurm requeues a job, or ends it, when its hook fails.
  func giveUp(_ job: String, bad: Set<String>, reason: String) async throws {}
}

// Suspended jobs of an OAR 2 server go on: their processes are woken on their hosts, as OAR 2 does it, and then
// they count as running.

import ClusterModel
import Glibc
import Storage
import Wire

/// How processes of a suspended job are woken.
struct ResumeSettings: Sendable {
  /// OPENSSH_CMD as words.
  var ssh: [String]
  /// SUSPEND_RESUME_FILE: the site's script for hosts.
  var script: String
  /// OAR_RUNTIME_DIRECTORY: where OAR 2 keeps its files on hosts.
  var directory: String
  /// OAR_SSH_CONNECTION_TIMEOUT in seconds.
  var limit: Int

  /// `nil` where OAR manages no processes.
  init?(_ configuration: Configuration) {
    guard configuration["CPUSET_PATH"]?.isEmpty == false else { return nil }
    ssh = configuration.text("OPENSSH_CMD", default: OAR2NodeSettings.standardSSH)
      .split(separator: " ").map(String.init)
    script = configuration.text(
      "SUSPEND_RESUME_FILE", default: "/etc/oar/suspend_resume_manager.pl")
    directory = configuration.text("OAR_RUNTIME_DIRECTORY", default: "/var/lib/oar")
    limit =
      (try? configuration.integer("OAR_SSH_CONNECTION_TIMEOUT", default: 120, in: 1...600)) ?? 120
  }

  /// The command for a host: the script and, after it, what it is about, on the standard input of its Perl.
  ///
  /// - Returns: `nil` if a name holds what Perl or ssh could take for something else.
  func command(_ job: Job, on host: String, script text: String) -> OAR2Program? {
    let user = job.request.user
    guard let program = ssh.first, Self.isPlain(user), Self.isPlain(host) else { return nil }
    let about =
      "{'job_id' => \(job.id),"
      + "'oarexec_pid_file' => '\(directory)/pid_of_oarexec_for_jobId_\(job.id)',"
      + "'name' => '\(user)_\(job.id)'}"
    return OAR2Program(
      path: program,
      arguments: ssh.dropFirst() + [
        "-x", "-T", host, "TAKTUK_HOSTNAME=\(host)", "perl", "-", "resume",
      ],
      input: text + "\n__END__\n" + about)
  }

  /// Letters, digits and what names of users and hosts have besides; no option.
  private static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix("-") && name.utf8.count <= 255
      && name.unicodeScalars.allSatisfy { scalar in
        scalar.isASCII
          && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            || "._-".unicodeScalars.contains(scalar))
      }
  }
}

extension MetaschedulerPass {
  /// Lets suspended jobs go on that were asked to, once nobody else is on their resources.
  mutating func resumeJobs() async throws {
    var outcome = Outcome()
    state.resumeJobs(as: settings.planner.planning, at: now, &outcome)
    let jobs = outcome.effects.compactMap {
      if case .resume(let id) = $0 { state.jobs[id] } else { nil }
    }
    for job in jobs {
      let failed = await wake(job)
      if failed.isEmpty {
        log.info("job \(job.id) goes on")
        try await commit([.jobState(job.id, .running, at: now), .suspensionsEnded])
      } else {
        try await commit([
          .event(
            JobEvent(
              "RESUME_ERROR", job: job.id, at: now,
              "[MetaSched] the processes of job \(job.id) can't be woken on \(failed.joined(separator: ", "))",
              hosts: failed))
        ])
        _ = almighty.send([.checkStates])
      }
    }
  }

  /// Wakes the processes of a job; the hosts where that failed.
  private func wake(_ job: Job) async -> [String] {
    guard let resume = settings.resume else { return [] }
    let hosts = state.hosts(of: job.assignedResources)
    guard let text = try? SiteFile(variable: "SUSPEND_RESUME_FILE", path: resume.script).text()
    else {
      log.error("SUSPEND_RESUME_FILE=\"\(resume.script)\" can't be read: job \(job.id) can't go on")
      return hosts
    }
    var failed: [String] = []
    for host in hosts {
      Watchdog.allow(resume.limit)
      let end = await resume.command(job, on: host, script: text)?.run(limit: resume.limit) {
        line in
        log.debug("\(host): \(line)")
      }
      Watchdog.allow(0)
      if end != .exited(0) { failed.append(host) }
    }
    return failed
  }
}

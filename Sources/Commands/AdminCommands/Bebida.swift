// bebida: which nodes Kubernetes has and which jobs have, why, and an administrator's word about it.

import ClusterModel
import CommandLine
import Wire

/// The options of `bebida`.
enum BebidaOption {
  static let limit = Key<Int?>.integer(
    "--limit", value: "SECONDS", help: "With hook: wait so long at most [50]")
  static let workloads = Key<Int?>.integer(
    "--workloads", value: "N", help: "With simulate: so many workloads [5]")
  static let nodes = Key<Int?>.integer(
    "--nodes", value: "N", help: "With simulate: on so many nodes [32]")
  static let picture = Key<String?>.text(
    "--picture", value: "FILE", help: "With simulate: write a picture of it there, as SVG")
  static let metrics = Key<Bool>.flag(
    "--metrics", help: "Print figures as Prometheus reads them, in place of the table")
}

/// Shows and changes who has the nodes.
public enum Bebida: Command {
  public static let definition = CommandDefinition(
    "bebida", "Show which nodes are lent to Kubernetes, and say who has one",
    synopsis: [
      "status [--json | --metrics] [HOST...]", "explain HOST...", "check",
      "lend HOST... | reclaim HOST... | pause HOST... | plan HOST...",
      "hook prolog|epilog [--limit SECONDS] [JOB]",
      "simulate [--workloads N] [--nodes N] [--picture FILE]",
      "install [--dry-run] [--kubeconfig FILE] [--context NAME] [--namespace NAME] [--batch SYSTEM] "
        + "[--output FILE]",
      "uninstall [--dry-run] [--force] [the same options]",
    ],
    operands: .hosts,
    options: [
      BebidaOption.metrics, BebidaOption.limit, BebidaOption.workloads, BebidaOption.nodes,
      BebidaOption.picture, DocumentOption.json,
    ] + BebidaSiteOption.all,
    details: [
      "A node is Kubernetes' (KUBE) while no job needs it. For a job it is closed to new pods (CLOSING), "
        + "emptied (DRAINING), fenced (FENCING) and the jobs' (HPC) once it has proved that no process of a "
        + "pod is left; after the last job it is opened (OPENING). One that can't be proved clean is a FAULT.",
      "lend gives hosts to Kubernetes whatever is planned, reclaim keeps them for jobs, pause leaves them as "
        + "they are, and plan takes such a word back. Jobs get their hosts all the same.",
      "hook is for batch systems: Slurm runs it as PrologSlurmctld and EpilogSlurmctld, OAR 2 with the job as "
        + "SERVER_PROLOGUE_EXEC_FILE and SERVER_EPILOGUE_EXEC_FILE. It ends once the job's nodes are the job's. If "
        + "they can't be, it ends with 1 under Slurm; under OAR, whose queues that would stop, it ends the launch, "
        + "and OAR submits the job again.",
      "simulate plays workloads like those of BeBiDa's publication on a cluster that there is not, with the planner and "
        + "the decisions of the product, beside what was published and beside scripts that drain node after node.",
      "install makes in Kubernetes, with an administrator's kubeconfig, a namespace with a service account and its "
        + "token, and a role that allows what lending needs and no more; writes the lender's kubeconfig for its "
        + "owner alone; tries it; and says what has to stand in the settings of the batch system and what it found "
        + "of others: nodes that somebody cordoned, and hand-made hooks. Done again it changes nothing. What is not "
        + "its own (without the label app.kubernetes.io/managed-by=bebida) is never changed: then it refuses before "
        + "anything is done.",
      "uninstall takes the lender's marks off all nodes and removes all of that again, with the kubeconfig. It "
        + "refuses while the lender runs, which would put its marks back.",
    ],
    examples: [
      ("bebida explain node7", "Why node7 is where it is, and which pod keeps whom waiting"),
      ("bebida reclaim node7", "No pods on node7 until bebida plan node7"),
      (
        "bebida install --dry-run --kubeconfig /root/admin.conf",
        "What would be made in Kubernetes and here, for Slurm"
      ),
    ],
    exitCodes: [
      (0, "done"),
      (
        1,
        "arguments that don't fit, refused, or with status: a node is a FAULT, with check: "
          + "something is bad"
      ),
      (2, "no server"),
    ])

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let hosts = Array(arguments.operands.dropFirst())
    let word = arguments.operands.first ?? "status"
    if BebidaSite.words.contains(word) {
      return try BebidaSite(word: word, arguments: arguments, context: context).run()
    }
    try BebidaSite.refuseOptions(arguments)
    switch word {
    case "status": return try show(try ask(hosts, context), arguments, context)
    case "explain":
      try require(hosts)
      for host in try ask(hosts, context).hosts { explain(host, context.output) }
      return 0
    case "check": return try check(context)
    case "plan": return try wish(nil, hosts, context)
    case "simulate": return try BebidaSimulate.run(hosts, arguments, context)
    case "hook":
      guard let moment = hosts.first, ["prolog", "epilog"].contains(moment), hosts.count <= 2 else {
        throw CommandFailure(1, "hook is followed by prolog or epilog, and under OAR by the job")
      }
      return BebidaHook(
        isBefore: moment == "prolog", oarJob: hosts.dropFirst().first, context: context,
        limit: Double(arguments[BebidaOption.limit] ?? 50)
      ).run()
    case let word:
      guard let wish = LendingWish(rawValue: word) else {
        throw CommandFailure(
          1,
          "\"\(shortened(word))\" is none of status, explain, check, lend, reclaim, pause, plan, hook, "
            + "simulate, install, uninstall")
      }
      return try self.wish(wish, hosts, context)
    }
  }

  private static func ask(_ hosts: [String], _ context: CommandContext) throws -> LendingStatus {
    guard case .lending(let status) = try context.ask(.lending(.show(hosts))) else {
      throw UnexpectedReply(question: "what is lent")
    }
    return status
  }

  private static func check(_ context: CommandContext) throws -> Int32 {
    guard case .lendingFindings(let findings) = try context.ask(.lending(.check)) else {
      throw UnexpectedReply(question: "whether it can lend")
    }
    for finding in findings {
      let mark =
        switch finding.verdict {
        case .good: "good     "
        case .doubtful: "doubtful "
        case .bad: "BAD      "
        }
      context.output.line(mark + finding.text)
    }
    return findings.contains { $0.verdict == .bad } ? 1 : 0
  }

  private static func wish(
    _ wish: LendingWish?, _ hosts: [String], _ context: CommandContext
  ) throws -> Int32 {
    try require(hosts)
    guard case .done = try context.ask(.lending(.wish(wish, hosts))) else {
      throw UnexpectedReply(question: "a word about hosts")
    }
    return 0
  }

  private static func require(_ hosts: [String]) throws {
    if hosts.isEmpty { throw CommandFailure(1, "name the hosts") }
  }

  // MARK: Showing

  private static func show(
    _ status: LendingStatus, _ arguments: ParsedArguments, _ context: CommandContext
  ) throws -> Int32 {
    if arguments[BebidaOption.metrics] {
      for (name, value) in status.counts.sorted(by: { $0.key < $1.key }) {
        context.output.line("bebida_\(name) \(value)")
      }
    } else if arguments[DocumentOption.json] {
      context.output.pass(document(status))
    } else {
      table(status, context.output)
    }
    return status.hosts.contains { $0.phase == "FAULT" } ? 1 : 0
  }

  private static func table(_ status: LendingStatus, _ output: TextStream) {
    output.line(
      "Kubernetes at \(status.server) " + (status.isFollowed ? "is followed" : "does not answer"))
    let rows = status.hosts.map { [$0.host, $0.phase, duration($0.age), until($0), $0.reason] }
    let lines = [["HOST", "PHASE", "SINCE", "NEXT JOB", "WHY"]] + rows
    let widths = (0..<4).map { column in lines.map { $0[column].count }.max() ?? 0 }
    for line in lines {
      var text = ""
      for (word, width) in zip(line, widths) {
        text += word + String(repeating: " ", count: width - word.count + 2)
      }
      output.line(text + line[4])
    }
    if let line = summary(status.counts) { output.line(line) }
  }

  /// What came of it so far; nil before anything did.
  private static func summary(_ counts: [String: Double]) -> String? {
    var parts: [String] = []
    if let share = counts["harvest_ratio"] {
      parts.append("lent \(percent(share)) of the idle time")
    }
    if let share = counts["effectiveness_ratio"] {
      parts.append("\(percent(1 - share)) of pods' time lost to jobs")
    }
    if let count = counts["start_delay_seconds_count"], count > 0,
      let sum = counts["start_delay_seconds_sum"], let longest = counts["start_delay_seconds_max"]
    {
      parts.append(
        "jobs waited \(Int(sum / count * 1000)) ms for a node in the mean, \(Int(longest * 1000)) ms at most"
      )
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }

  private static func until(_ host: LentHostStatus) -> String {
    if !host.jobs.isEmpty { return "now" }
    return host.nextStart.map { "in " + duration(max(0, $0)) } ?? "-"
  }

  private static func duration(_ seconds: Double) -> String {
    let seconds = Int(seconds)
    if seconds < 120 { return "\(seconds) s" }
    return seconds < 7200 ? "\(seconds / 60) min" : "\(seconds / 3600) h"
  }

  private static func explain(_ host: LentHostStatus, _ output: TextStream) {
    output.line("\(host.host) is \(host.phase) since \(duration(host.age)): \(host.reason)")
    output.line(
      "  in Kubernetes: \(host.node ?? "there is no node of this name"), epoch \(host.epoch)")
    if let wish = host.wish { output.line("  an administrator said: \(wish.rawValue)") }
    if !host.jobs.isEmpty {
      output.line("  jobs that hold it: \(host.jobs.joined(separator: ", "))")
    }
    if let next = host.nextStart { output.line("  next planned job: in \(duration(max(0, next)))") }
    output.line("  the host itself: \(words(host.agent))")
    for (pod, obstacle) in host.pods.sorted(by: { $0.key < $1.key }) {
      output.line("  pod \(pod)" + (obstacle.isEmpty ? "" : ": \(obstacle)"))
    }
  }

  private static func words(_ agent: LendingReport?) -> String {
    guard let agent else { return "its agent can't be reached" }
    if !agent.problem.isEmpty { return agent.problem }
    if agent.isOpen { return "open to pods" }
    return agent.isProvenClean ? "closed, no process of a pod is left" : "closed, not proved clean"
  }

  private static func document(_ status: LendingStatus) -> [UInt8] {
    let hosts = status.hosts.map { host -> OutputValue in
      [
        "host": .text(host.host), "node": .optional(host.node), "phase": .text(host.phase),
        "reason": .text(host.reason), "epoch": .integer(Int(host.epoch)), "age": .real(host.age),
        "jobs": .list(host.jobs), "next_start": host.nextStart.map { .real($0) } ?? .null,
        "wish": .optional(host.wish?.rawValue), "pods": .list(host.pods.keys.sorted()),
      ]
    }
    return DocumentOption.document([
      OutputEntry("server", .text(status.server)),
      OutputEntry("is_followed", .boolean(status.isFollowed)),
      OutputEntry("hosts", .list(hosts)),
    ])
  }
}

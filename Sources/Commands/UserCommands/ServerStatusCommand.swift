// `liburna status`: what the server says of itself.

import CommandLine
import Wire

/// The command `liburna status`.
public enum StatusCommand: Command {
  public static let definition = CommandDefinition(
    "status", "Show how the server is: jobs, hosts, passes of the planner",
    synopsis: ["[OPTIONS]"], options: [DocumentOption.json],
    exitCodes: [
      (0, "it answers and all hosts do"), (1, "some hosts don't answer"),
      (2, "the server can't be reached"),
    ])

  public static func run(
    _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> Int32 {
    guard case .status(let status) = try context.ask(.status) else {
      throw UnexpectedReply(question: "its status")
    }
    if arguments[DocumentOption.json] {
      context.output.pass(document(status))
    } else {
      write(status, to: context.output)
    }
    return status.hostsLost.isEmpty ? 0 : 1
  }

  private static func write(_ status: ServerStatus, to output: TextStream) {
    output.line("Liburna \(status.version), up since \(LocalDate(status.startedAt).text)")
    output.line("Jobs:      \(status.jobsRunning) running, \(status.jobsWaiting) waiting")
    output.line("Resources: \(status.resources)")
    output.line("Hosts:     \(status.hostsConnected.count) answer")
    if !status.hostsLost.isEmpty {
      output.line(
        "           \(status.hostsLost.count) don't: "
          + status.hostsLost.joined(separator: " "))
    }
    let milliseconds = (status.lastPassMilliseconds * 100).rounded() / 100
    output.line("Planner:   \(status.passes) passes, the last took \(milliseconds) ms")
    output.line("Storage:   \(status.commits) commits")
    output.line("Memory:    \(status.residentBytes >> 20) MiB")
  }

  private static func document(_ status: ServerStatus) -> [UInt8] {
    DocumentOption.document([
      OutputEntry("version", .text(status.version)),
      OutputEntry("started", .integer(status.startedAt)),
      OutputEntry("jobs_waiting", .integer(status.jobsWaiting)),
      OutputEntry("jobs_running", .integer(status.jobsRunning)),
      OutputEntry("resources", .integer(status.resources)),
      OutputEntry("hosts_connected", .list(status.hostsConnected)),
      OutputEntry("hosts_lost", .list(status.hostsLost)),
      OutputEntry("passes", .integer(status.passes)),
      OutputEntry("last_pass_ms", .real(status.lastPassMilliseconds)),
      OutputEntry("commits", .integer(status.commits)),
      OutputEntry("resident_bytes", .integer(status.residentBytes)),
    ])
  }
}

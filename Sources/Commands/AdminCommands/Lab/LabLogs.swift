// `liburna lab logs`: what hosts and their services wrote, and what they write.

import CommandLine
import Lab

/// The command `lab logs`.
enum LabLogs: LabVerb {
  static let follow = Key<Bool>.flag(
    "-f", "--follow", help: "Go on with what is written, until control-C")
  static let lines = Key<Int?>.integer(
    "-n", "--lines", value: "LINES",
    help: "The last lines of each log only [all, with -f \(followedLines)]")
  static let service = Key<String?>.text(
    "--service", value: "NAME", help: "Of one service only, such as sshd; boot is the host's own")

  static let followedLines = 10
  static let lineLimits = 0...1_000_000
  static let words = 0...Int.max

  static let definition = CommandDefinition(
    "liburna lab logs", "Show what hosts and their services wrote",
    synopsis: ["[OPTIONS] [HOSTS]..."], operands: .hosts,
    options: [follow, lines, service, LabOption.name],
    details: [
      "Every line has the host and the service before it. HOSTS are names as server, node[1-4,7], "
        + "@node for all of a role, or all, which is also meant by none.",
      "With -f, hosts and services that join are shown, and a lab that is stopped and started "
        + "again is followed on.",
    ],
    examples: [
      ("liburna lab logs -f @node", "what the nodes write"),
      ("liburna lab logs -n 20 --service liburnad server", "the last of the server's log"),
    ],
    exitCodes: [(0, "shown"), (1, "there is no such lab, host or service")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    let hosts = try lab.hosts()
    let count = try LabOption.number(arguments, lines, lineLimits)
    let isFollowed = arguments[follow]
    let wanted = try LabOption.hosts(arguments.operands, of: lab)
    var follower = LogFollower(
      lab, hosts: wanted, service: arguments[service],
      tail: count ?? (isFollowed ? followedLines : nil))
    var view = LogView(
      hosts: hosts, isColoured: LabColour.isShown(on: context.output, in: context))
    let show = { (line: LabLogLine) in context.output.write(view.text(line)) }
    guard isFollowed else {
      follower.read(all: true, show)
      if let name = arguments[service] {
        let known = follower.services()
        guard known.contains(name) else {
          throw CommandFailure(
            1,
            "[ERROR] No service \(shortened(name)) has a log; "
              + "there are \(known.joined(separator: ", "))")
        }
      }
      return 0
    }
    follower.follow(show) { context.output.flush() }
    return 0
  }
}

/// How lines of logs are shown: host and service before each, in columns that grow if they must.
struct LogView {
  private var hostWidth: Int
  private var serviceWidth = 8
  private let roles: [String: String]
  private let isColoured: Bool

  init(hosts: [LabHost], isColoured: Bool) {
    hostWidth = hosts.map(\.name.count).max() ?? 0
    roles = LabColour.roles(hosts)
    self.isColoured = isColoured
  }

  mutating func text(_ line: LabLogLine) -> String {
    hostWidth = max(hostWidth, line.host.count)
    serviceWidth = max(serviceWidth, line.service.count)
    let prefix =
      LabOption.column(line.host, hostWidth) + " " + LabOption.column(line.service, serviceWidth)
    var bytes: [UInt8] = []
    // Some programs end their lines as terminals want them.
    bytes.append(printable: line.text.hasSuffix("\r") ? String(line.text.dropLast()) : line.text)
    let role = roles[line.host] ?? line.host
    return LabColour.paint(prefix + " |", role: role, if: isColoured)
      + " \(String(decoding: bytes, as: UTF8.self))\n"
  }
}

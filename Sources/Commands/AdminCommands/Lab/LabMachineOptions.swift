// The options of `lab start` that make the hosts machines, reached by ssh.

import CommandLine
import Glibc
import Lab

enum LabMachineOptions {
  static let file = Key<String?>.text(
    "-m", "--machine-file", value: "FILE",
    help:
      "Hosts are these machines: one a line, or a deployment description; `job` for the job's nodes"
  )
  static let wait = Key<Bool>.flag(
    "-W", "--wait-machine-file", help: "Wait until the file names enough machines")
  static let waitLimit = Key<Int?>.integer(
    "--machine-wait", value: "SECONDS", help: "Wait so long at most [\(standardWait)]")
  static let user = Key<String?>.text("--ssh-user", value: "USER", help: "Whom ssh logs in as")
  static let port = Key<Int?>.integer(
    "--ssh-port", value: "PORT", help: "Where the machines' ssh is")
  static let identity = Key<String?>.text(
    "-i", "--identity-file", value: "FILE", help: "The private key for the machines")
  static let configuration = Key<String?>.text(
    "--ssh-config", value: "FILE", help: "A configuration of ssh in place of your own")
  static let options = Key<[String]>.texts(
    "--ssh-option", value: "OPTION", help: "As ssh has it after -o; may be repeated")
  static let labPort = Key<Int?>.integer(
    "--lab-ssh-port", value: "PORT",
    help: "Where the lab's own ssh listens on machines [\(MachineSettings.standardLabPort)]")
  static let directory = Key<String?>.text(
    "--machine-directory", value: "DIRECTORY",
    help: "Where the lab keeps its files on machines [\(MachineSettings.standardDirectory)]")
  static let description = Key<String?>.text(
    "-d", "--deployment-file", value: "FILE", help: "Write the deployment description here, too")

  static let standardWait = 3600

  static let all: [any OptionKey] = [
    file, wait, waitLimit, user, port, identity, configuration, options, labPort, directory,
    description,
  ]

  /// What the words say of machines, or nil if they name none.
  static func settings(_ arguments: ParsedArguments) throws -> MachineSettings? {
    guard let named = arguments[file] else { return nil }
    var settings = MachineSettings(named == "job" ? .job : .file(absolute(named)))
    if arguments[wait] || arguments[waitLimit] != nil {
      settings.wait = arguments[waitLimit] ?? standardWait
    }
    settings.user = arguments[user]
    settings.port = try number(arguments, port)
    settings.identity = arguments[identity].map(absolute)
    settings.configuration = arguments[configuration].map(absolute)
    settings.options = arguments[options]
    settings.labPort = try number(arguments, labPort) ?? MachineSettings.standardLabPort
    settings.directory = arguments[directory] ?? MachineSettings.standardDirectory
    settings.deployment = arguments[description].map(absolute)
    return settings
  }

  /// Later calls may come from elsewhere.
  private static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return String(cString: current) + "/" + path
  }

  private static func number(_ arguments: ParsedArguments, _ key: Key<Int?>) throws -> UInt16? {
    guard let number = arguments[key] else { return nil }
    guard let port = UInt16(exactly: number), port > 0 else {
      throw UsageError([
        "--\(key.definition.name) takes a port, 1 to 65535, not \(number)"
      ])
    }
    return port
  }
}

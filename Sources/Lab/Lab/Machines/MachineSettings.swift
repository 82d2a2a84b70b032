// What a lab of existing machines is asked for: which machines, how ssh reaches them, and what the lab
// uses of them.

/// The machines of a lab, and the way to them.
public struct MachineSettings: Equatable, Codable, Sendable {
  /// Where the machines are named.
  public enum Source: Equatable, Codable, Sendable {
    /// A file: one name or address a line, or a deployment description.
    case file(String)
    /// The file that OAR_NODEFILE names: the nodes of the job that this process is part of.
    case job
  }

  public var source: Source
  /// How many seconds to wait until the file is there and names enough machines; nil: not at all.
  public var wait: Int?
  /// The user that ssh logs in as; nil leaves it to ssh. One who is not root needs `sudo -n`.
  public var user: String?
  /// The port of the machines' own ssh; nil leaves it to ssh.
  public var port: UInt16?
  /// A file with a private key; nil leaves it to ssh.
  public var identity: String?
  /// A configuration file of ssh in place of the usual ones.
  public var configuration: String?
  /// More options of ssh, each as it stands after `-o`.
  public var options: [String] = []
  /// Where the lab's own ssh listens on every machine.
  public var labPort: UInt16 = standardLabPort
  /// Where the lab keeps its files on every machine.
  public var directory = standardDirectory
  /// Where a further copy of the deployment description goes, for other tools; nil for none.
  public var deployment: String?

  public static let standardLabPort: UInt16 = 2222
  public static let standardDirectory = "/var/lib/liburna-machines"
  /// The most seconds that a start may wait for its machines: a week.
  public static let longestWait = 604_800

  public init(_ source: Source) { self.source = source }

  /// Refuses values that could be misread on the way to a machine.
  func check() throws {
    let allowed = directory.utf8.allSatisfy {
      MachineList.isLetterOrDigit($0) || "/._-".utf8.contains($0)
    }
    guard allowed, directory.hasPrefix("/"), directory.utf8.count <= 80,
      directory.split(separator: "/").count >= 2, !directory.contains("..")
    else {
      throw LabError(
        "\(directory) can't be the lab's directory on machines; use an absolute path of at most 80 "
          + "letters, digits, dots, dashes and slashes, such as \(Self.standardDirectory)")
    }
    guard labPort > 0 else {
      throw LabError("the port of the lab's ssh is a number from 1 to 65535")
    }
    if let user, !MachineList.isName(user) { throw LabError("\(user) can't be a user of ssh") }
    if let wait, !(0...Self.longestWait).contains(wait) {
      throw LabError("a start waits 0 to \(Self.longestWait) seconds for its machines, not \(wait)")
    }
  }
}

// A source tree of Liburna: its programs are built where they are, by the tree's owner, and hosts see
// them as they are; built anew, they are new in the hosts.

import CLinux
import Glibc

struct LiburnaTree {
  private let directory: String

  /// The programs of a lab.
  private static let names = ["liburna", "liburnad", "liburna-node"]
  private static let lines = 12

  init(_ directory: String) { self.directory = directory }

  /// The directory of the programs, built now if there is a Swift toolchain.
  func programs(_ work: StoreWork) throws -> String {
    let place = directory + "/.build/release"
    if let swift = Self.toolchain {
      // One by one: all together would be the tests as well, which want more than programs do.
      for name in Self.names { try build(name, swift, work) }
    }
    for name in Self.names where !Files.isExecutable(place + "/" + name) {
      throw LabError(
        "\(place)/\(name) is missing, and there is no Swift toolchain in PATH to build it with; "
          + "build it with `swift build -c release --static-swift-stdlib` in \(directory)")
    }
    return Files.resolve(place) ?? place
  }

  private static var path: String { getenv("PATH").map { String(cString: $0) } ?? "" }

  private static var toolchain: String? {
    path.split(separator: ":").map { $0 + "/swift" }.first(where: Files.isExecutable)
  }

  private func build(_ product: String, _ swift: String, _ work: StoreWork) throws {
    work.progress("building \(product) in \(directory)")
    var status = stat()
    guard stat(directory, &status) == 0 else { throw LabError.system("examine", directory) }
    let log = clinux_memory_file(nil, 0)
    guard log >= 0 else { throw LabError.system("make", "a file in memory") }
    defer { close(log) }
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(input) }
    var launch = Launch(
      program: .path(swift),
      arguments: [
        "swift", "build", "-c", "release", "--static-swift-stdlib", "--product", product,
      ],
      environment: ToolRun.environment.filter { !$0.hasPrefix("PATH=") && !$0.hasPrefix("HOME=") }
        + ["PATH=" + Self.path, "HOME=" + Self.home(of: status.st_uid)],
      descriptors: [input, log, log], directory: directory, newSession: true)
    // Nothing of root's may be left in a user's tree.
    if geteuid() == 0 && status.st_uid != 0 {
      launch.identity = .init(
        user: status.st_uid, group: status.st_gid, groups: [status.st_gid])
    }
    let child: Child
    do { child = try launch.start() } catch { throw LabError("\(error)") }
    guard child.ends(before: work.deadline) else {
      kill(-child.pid, SIGKILL)
      _ = child.wait()
      throw LabError("building \(product) in \(directory) took too long and was stopped")
    }
    let code = child.wait()
    guard code == 0 else {
      let text = try? Files.readText("/proc/self/fd/\(log)")
      throw LabError(
        "building \(product) in \(directory) failed with exit code \(code)",
        logTail: (text ?? "").split(separator: "\n").suffix(Self.lines).map(String.init))
    }
  }

  private static func home(of user: uid_t) -> String {
    getpwuid(user).map { String(cString: $0.pointee.pw_dir) } ?? "/"
  }
}

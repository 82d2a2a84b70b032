// A lab of plain Debian 12 for packages to be installed in, and the packages.

import FoundationEssentials
import Glibc
import LabFixture
import Testing

/// The packages, built once for all tests from the release programs, and a later version of one of them.
struct BuiltPackages: Sendable {
  let directory: String
  static let upgrade = "9.0.0-1"

  static let shared = Result { try BuiltPackages() }
  static let script = SettingsExample.repository + "/Scripts/build-deb"

  private init() throws {
    directory = "/tmp/liburna-packages-\(getpid())"
    atexit { _ = system("rm -rf /tmp/liburna-packages-\(getpid())") }
    let built = try Subprocess([Self.script, directory]).finish(within: 900)
    guard built.exitCode == 0 else { throw StoryError("build-deb: \(built)") }
    let later = try Subprocess(
      ["env", "DEB_VERSION=\(Self.upgrade)", Self.script, directory + "/later", "liburna-server"]
    ).finish(within: 900)
    guard later.exitCode == 0 else { throw StoryError("build-deb: \(later)") }
    // What they need and the image of OAR 2 lacks.
    let fetch = """
      mkdir "$0/needed"
      cd "$0/needed"
      fetch() {
        apt-get download -q libsqlite3-0 libcurl4 libbrotli1 libnghttp2-14 libpsl5 librtmp1 libssh2-1
      }
      fetch || { apt-get update -q; fetch; }
      """
    let library = try Subprocess(["sh", "-ec", fetch, directory]).finish(within: 900)
    guard library.exitCode == 0 else { throw StoryError("apt-get: \(library)") }
  }

  /// The file of a package, here.
  func file(_ package: String) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: directory)
    let name = try #require(names.first { $0.hasPrefix(package + "_") }, "no package \(package)")
    return "\(directory)/\(name)"
  }
}

/// A lab whose hosts see the packages at /packages.
struct PackageLab: Sendable {
  let name: String
  let packages: BuiltPackages
  private let program: String

  /// Starts a lab of a composition, runs the body, and stops it.
  static func run(
    _ label: String, _ composition: String, _ body: @Sendable (PackageLab) async throws -> Void
  ) async throws {
    let lab = try PackageLab(label)
    let file = "/tmp/liburna-\(lab.name).yaml"
    try composition.write(toFile: file, atomically: true, encoding: .utf8)
    defer { unlink(file) }
    do {
      try await lab.call(
        ["start", "--name", lab.name, "-c", file, "-v", "\(lab.packages.directory):/packages:ro"])
      try await body(lab)
    } catch {
      _ = try? await lab.call(["stop", "--name", lab.name])
      throw error
    }
    try await lab.call(["stop", "--name", lab.name])
  }

  private init(_ label: String) throws {
    name = "packages-\(label)-\(getpid())"
    packages = try BuiltPackages.shared.get()
    let own = try #require(realpath("/proc/self/exe", nil))
    defer { free(own) }
    let path = String(cString: own)
    program = path[..<(try #require(path.lastIndex(of: "/")))] + "/liburna"
  }

  private func call(_ words: [String]) async throws {
    let result = try await offThread { [program] in
      // The first start on a machine makes an image.
      try Subprocess([program, "lab"] + words).finish(within: 900)
    }
    guard result.exitCode == 0 else { throw StoryError("lab \(words): \(result)") }
  }

  /// Runs a script on a host, whatever comes of it.
  func result(_ script: String, on host: String = "server", as user: String = "root") async throws
    -> CommandResult
  {
    let words = [
      program, "lab", "exec", "--name", name, "--user", user, host, "--", "sh", "-euc", script,
    ]
    return try await offThread { try Subprocess(words).finish(within: 300) }
  }

  /// Runs a script on a host, which must succeed, and gives its output without the last newline.
  @discardableResult
  func shell(_ script: String, on host: String = "server", as user: String = "root") async throws
    -> String
  {
    let result = try await result(script, on: host, as: user)
    guard result.exitCode == 0 else { throw StoryError("\(host)$ \(script)\n\(result)") }
    return String(result.stdout.trimmingBlanks)
  }

  /// Installs packages; what dpkg and the scripts said.
  @discardableResult
  func install(_ names: String..., on host: String = "server") async throws -> CommandResult {
    let files = names.map { "/packages/\($0)_*.deb" }.joined(separator: " ")
    return try await result("dpkg -i \(files)", on: host)
  }

  /// Every file of a host that stays, and the accounts.
  func files(on host: String = "server") async throws -> Set<String> {
    let text = try await shell(
      """
      find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /home \
        -o -path /packages -o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg \
        -o -path /var/tmp -o -path /root -o -path '/var/lib/systemd/*' -o -name '.pwd.lock' \
        -o -path '/etc/*-' \\) -prune -o -printf '%p %u %m\\n'
      sort /etc/passwd /etc/group
      """, on: host)
    return Set(text.split(separator: "\n").map(String.init))
  }
}

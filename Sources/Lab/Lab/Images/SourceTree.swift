// A copy of a source tree, to be built from: what the user has is never written to, and what git
// ignores stays out. Tells which software it is, and of which version.

import Compositions
import Glibc

struct SourceTree {
  /// Where the copy is, absolute.
  var directory: String

  /// The most that a fetched archive or repository may take, in bytes.
  private static let room = 200 << 20

  /// Puts a copy of the tree that a source names into a directory, which is made.
  static func fetch(
    _ source: SoftwareSource, into directory: String, store: ImageStore, site: LayerSite,
    _ work: StoreWork
  ) throws -> SourceTree {
    try Files.makeDirectories(directory, mode: 0o755)
    switch source {
    case .tree(let path): try copy(path, to: directory, site, work)
    case .tarball(let path):
      guard let real = Files.resolve(path), Files.isFile(real) else {
        throw LabError("\(path) can't be unpacked: there is no such file")
      }
      try store.extract(real, into: directory, at: site, excluding: [], work)
    case .url(let url):
      let archive = site.scratch + "/fetched"
      try download(url, to: archive, work)
      try store.extract(archive, into: directory, at: site, excluding: [], work)
    case .git(let url, let reference):
      try clone(url, reference, to: directory, source.description, work)
    case .debs, .packages: throw LabError("\(source.description) is no source tree")
    }
    return SourceTree(directory: top(of: directory))
  }

  /// Archives hold their tree in a directory of its own as a rule.
  private static func top(of directory: String) -> String {
    let names = Files.list(directory)
    guard names.count == 1, Files.isDirectory(directory + "/" + names[0]) else { return directory }
    return directory + "/" + names[0]
  }

  // MARK: - Ways

  private static func copy(
    _ path: String, to directory: String, _ site: LayerSite, _ work: StoreWork
  ) throws {
    let archive = site.scratch + "/tree.tar"
    var pack = ["tar", "--create", "--file=" + archive, "--directory=" + path]
    var names: [UInt8] = []
    if Files.exists(path + "/.git") {
      let list = try git(
        ["-C", path, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], work)
      // A file may be known to git and gone from the disk.
      let there = list.split(separator: "\0").filter {
        Files.exists("\(path)/\($0)") || Files.isLink("\(path)/\($0)")
      }
      names = Array(there.map { $0 + "\0" }.joined().utf8)
      pack += ["--no-recursion", "--null", "--verbatim-files-from", "--files-from=-"]
    } else {
      pack += ["--exclude=./.build", "."]
    }
    try run(pack, input: names, work)
    try run(
      [
        "tar", "--extract", "--file=" + archive, "--directory=" + directory, "--no-same-owner",
      ], work)
    unlink(archive)
  }

  private static func clone(
    _ url: String, _ reference: String?, to directory: String, _ what: String, _ work: StoreWork
  ) throws {
    work.progress("cloning \(what)")
    do {
      _ = try git(["clone", "--quiet", "--", url, directory], work)
      if let reference {
        _ = try git(["-C", directory, "checkout", "--quiet", reference, "--"], work)
      }
    } catch let error as LabError {
      throw LabError("\(what) can't be cloned: \(error.message)")
    }
  }

  /// Asks git, which trusts trees of other users here: it runs none of their programs.
  private static func git(_ arguments: [String], _ work: StoreWork) throws -> String {
    guard ToolRun.find("git") != nil else {
      throw LabError("git is missing; run apt-get install git")
    }
    let trust = ["-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null"]
    let answer = try ToolRun.run(
      ["git"] + trust + arguments, more: ["GIT_TERMINAL_PROMPT=0"], deadline: work.deadline)
    guard answer.code == 0 else { throw LabError(answer.complaint) }
    return answer.output
  }

  /// Fetches with what the machine has: apt's own helper is on every Debian.
  private static func download(_ url: String, to file: String, _ work: StoreWork) throws {
    work.progress("fetching \(SoftwareSource.url(url).description)")
    let helper = "/usr/lib/apt/apt-helper"
    let ways = [
      ["curl", "--fail", "--silent", "--show-error", "--location", "--output", file, "--", url],
      ["wget", "--quiet", "--output-document=" + file, "--", url],
      [helper, "-q", "download-file", url, file],
    ]
    let way = ways.first {
      $0[0] == helper ? Files.isExecutable(helper) : ToolRun.find($0[0]) != nil
    }
    guard let way else { throw LabError("curl is missing; run apt-get install curl") }
    let answer = try ToolRun.run(way, deadline: work.deadline)
    guard answer.code == 0, Files.isFile(file) else {
      throw LabError(
        "\(SoftwareSource.url(url).description) can't be fetched: \(answer.complaint)")
    }
  }

  private static func run(_ command: [String], input: [UInt8] = [], _ work: StoreWork) throws {
    let answer = try ToolRun.run(command, input: input, deadline: work.deadline)
    guard answer.code == 0 else { throw LabError("\(command[0]): \(answer.complaint)") }
  }

  // MARK: - What it is

  /// Which software the tree is of, or nil if it is none that the lab knows.
  static func kind(of directory: String) -> Software? {
    func text(_ name: String) -> String { (try? Files.readText(directory + "/" + name)) ?? "" }
    if text("Package.swift").contains("name: \"liburna\"") { return .liburna }
    if Files.exists(directory + "/Makefiles/server.mk") && Files.exists(directory + "/sources/core")
    {
      return .oar2
    }
    // The name alone says little: there are other packages called so.
    let project = text("pyproject.toml") + text("setup.py") + text("setup.cfg")
    let names = ["name = \"oar\"", "name=\"oar\"", "name = 'oar'", "name='oar'", "name = oar"]
    let isNamed = names.contains { project.contains($0) }
    return isNamed && Files.isDirectory(directory + "/oar/kao") ? .oar3 : nil
  }

  var kind: Software? { Self.kind(of: directory) }

  /// The version that the tree says it has.
  var version: String {
    func quoted(_ file: String, after word: String) -> String? {
      guard let text = try? Files.readText(directory + "/" + file) else { return nil }
      let line = text.split(separator: "\n").first { $0.contains(word) && $0.contains("=") }
      let parts = line?.split(whereSeparator: { $0 == "\"" || $0 == "'" }) ?? []
      return parts.count > 1 ? String(parts[1]) : nil
    }
    return quoted("sources/core/common-libs/lib/OAR/Version.pm", after: "Version")
      ?? quoted("pyproject.toml", after: "version") ?? quoted("setup.py", after: "version")
      ?? "unknown"
  }
}

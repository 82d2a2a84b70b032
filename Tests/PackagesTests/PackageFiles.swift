// The packages as files: what they say of themselves and hold, and that they are the same each time.

import FoundationEssentials
import LabFixture
import Testing

@Suite("Packages as files", .serialized)
struct PackageFiles {
  private func output(_ words: String...) throws -> String {
    let result = try Subprocess(words).finish()
    guard result.exitCode == 0 else { throw StoryError("\(words): \(result)") }
    return result.stdout
  }

  private func names() throws -> [String] {
    try SettingsExample.text("Packaging/control").split(separator: "\n").compactMap { line in
      line.hasPrefix("Package: ") ? String(line.dropFirst("Package: ".count)) : nil
    }
  }

  @Test("built twice, a package is the same to the byte")
  func reproducible() throws {
    let packages = try BuiltPackages.shared.get()
    let again = packages.directory + "/again"
    _ = try output(BuiltPackages.script, again, "liburna-node", "liburna-user")
    for name in ["liburna-node", "liburna-user"] {
      let file = try packages.file(name)
      let other = again + file.dropFirst(packages.directory.count)
      _ = try output("cmp", file, other)
    }
  }

  @Test("their version is that of the programs, and they name the libraries that they need")
  func control() throws {
    let packages = try BuiltPackages.shared.get()
    for name in try names() {
      let fields = try output("dpkg-deb", "--field", packages.file(name))
      #expect(fields.contains("\nVersion: 0.1.0-1\n"), "\(fields)")
      #expect(!fields.contains("${"), "\(fields)")
    }
    let server = try output("dpkg-deb", "--field", packages.file("liburna-server"), "Depends")
    for library in ["libc6", "libsqlite3-0", "libmunge2"] { #expect(server.contains(library)) }
    let node = try output("dpkg-deb", "--field", packages.file("liburna-node"), "Depends")
    #expect(node == "\n" || node.isEmpty)
  }

  /// All packages unpacked as one tree.
  private func unpacked(_ name: String) throws -> String {
    let packages = try BuiltPackages.shared.get()
    let root = "\(packages.directory)/\(name)"
    for name in try names() { _ = try output("dpkg-deb", "-x", packages.file(name), root) }
    return root
  }

  @Test("the lab is whole: it brings up Liburna from the packages' own programs")
  func lab() throws {
    let root = try unpacked("lab")
    _ = try output(
      "\(root)/usr/bin/liburna", "lab", "test", "-c", "liburna", "-n", "1", "--timeout", "100")
  }

  @Test("every program and command has its manual page, which man reads without a complaint")
  func manuals() throws {
    let root = try unpacked("pages")
    let pages = Set(
      try ["man1", "man5", "man8"].flatMap {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/usr/share/man/\($0)")
      })
    // The lab's own program, which nobody calls, has none.
    let programs = try ["bin", "sbin"].flatMap {
      try FileManager.default.contentsOfDirectory(atPath: "\(root)/usr/\($0)")
    }
    #expect(programs.count >= 18)
    for program in programs {
      #expect(pages.contains("\(program).1.gz") || pages.contains("\(program).8.gz"), "\(program)")
    }
    let complaints = try output(
      "sh", "-c",
      """
      for page in $(find \(root)/usr/share/man -type f); do
        zcat "$page" | LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -l - 2>&1 >/dev/null | sed "s|^|$page: |"
      done
      """)
    #expect(complaints == "")
    let settings = try output(
      "sh", "-c", "MANWIDTH=100 man -l \(root)/usr/share/man/man5/oar.conf.5.gz | col -b")
    for text in ["SCHEDULER_JOB_SECURITY_TIME=\"60\"", "QUOTAS_CONF_FILE=", "Hosts that sleep"] {
      #expect(settings.contains(text), "\(text)")
    }
  }
}

// Installing software: from what source, what it turns out to be, and the layer that comes of it.

import Compositions
import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("software that is installed")
  struct InstallTests {
    @Test("a source is told by its form")
    func sources() throws {
      try TestStore.run("sources") { test in
        let tree = try test.root("tree", ["x": ""])
        let tar = try test.tar(tree)
        func read(_ words: String...) throws -> SoftwareSource {
          try SoftwareSource(words, in: test.place)
        }
        #expect(try read("tree") == .tree(tree))
        #expect(try read(tar) == .tarball(tar))
        #expect(try read("file://" + tar) == .tarball(tar))
        #expect(try read("https://h/x.tar.gz") == .url("https://h/x.tar.gz"))
        #expect(
          try read("git+https://u@h/r.git@v1/x") == .git("https://u@h/r.git", reference: "v1/x"))
        #expect(try read("git+ssh://git@h/r") == .git("ssh://git@h/r", reference: nil))
        #expect(try read("a.deb", "/b.deb") == .debs([test.place + "/a.deb", "/b.deb"]))
        #expect(try read("oar-server", "oar-node") == .packages(["oar-server", "oar-node"]))
        #expect(try read("git+https://u:secret@h/r").description == "git+https://h/r")
        for words in [[], [""], ["./none"], ["-x"], ["git+ext::sh"], ["git+file:///r@-x"]] {
          #expect(throws: LabError.self) { try SoftwareSource(words, in: test.place) }
        }
      }
    }

    @Test("a tree tells which software it is of")
    func kinds() throws {
      try TestStore.run("kinds") { test in
        let trees: [(String, Software?)] = [
          ("let package = Package(\n  name: \"liburna\",", .liburna), ("name: \"other\"", nil),
        ]
        for (index, (text, kind)) in trees.enumerated() {
          let tree = try test.root("swift\(index)", ["Package.swift": text])
          #expect(SourceTree.kind(of: tree) == kind)
        }
        let project = "[tool.poetry]\nname = \"oar\"\nversion = \"3.1.0\"\n"
        #expect(SourceTree.kind(of: try test.root("namesake", ["pyproject.toml": project])) == nil)
        let python = try test.root(
          "python", ["pyproject.toml": project, "oar/kao/kamelot.py": ""])
        #expect(SourceTree.kind(of: python) == .oar3)
        #expect(SourceTree(directory: python).version == "3.1.0")
        #expect(SourceTree.kind(of: try test.oar2(version: "2.5.77")) == .oar2)
        #expect(SourceTree(directory: test.place + "/oar2").version == "2.5.77")
        #expect(SourceTree.kind(of: test.place) == nil)
      }
    }

    @Test("a tree, a tar file and a git repository are built in the image, not in the tree")
    func trees() throws {
      try TestStore.run("trees") { test in
        let base = try test.imageWithMake()
        let tree = try test.oar2(version: "2.5.77")
        try test.git(tree)
        try Files.write("left out", to: tree + "/ignored.o")
        let before = try ToolRun.run(
          ["find", tree, "-printf", "%p %T@\\n"], deadline: TestStore.deadline)
        let archive = try test.tar(tree)
        var images: [Image] = []
        for word in [tree, archive, "git+file://\(tree)", "git+file://\(tree)@v77"] {
          let installed = try test.install(word, onto: base)
          #expect(installed.kind == .oar2)
          #expect(installed.version == "2.5.77")
          let image = try #require(installed.image)
          #expect(Array(image.directories.dropFirst()) == base.directories)
          let root = image.directories[0]
          #expect(try Files.readText(root + "/usr/lib/oar/Almighty").contains("2.5.77"))
          #expect(try Files.readText(root + "/etc/passwd").contains("oar:"))
          #expect(Files.exists(root + "/etc/oar/set-up"))
          #expect(Files.exists(root + "/usr/lib/oar/ignored.o") == (word == archive))
          #expect(!Files.exists(root + "/run/liburna-build"))
          images.append(image)
        }
        // The same files make the same layer, whichever way they came.
        #expect(images[0] == images[2])
        #expect(images[0] == images[3])
        let after = try ToolRun.run(
          ["find", tree, "-printf", "%p %T@\\n"], deadline: TestStore.deadline)
        #expect(before.output == after.output)
        #expect(Files.list(test.store.directory + "/building") == [])
      }
    }

    @Test("what can't be installed says why and leaves nothing")
    func refusals() throws {
      try TestStore.run("refusals") { test in
        let base = try TestStore.shared.prepare(.debian("bookworm"))
        let layers = try TestStore.shared.layers().count
        let empty = try test.root("empty", ["x": ""])
        let none = "git+file://\(test.place)/none"
        let cases: [(String, Image, String)] = [
          (empty, base, "neither Liburna nor OAR 2 nor OAR 3"), (none, base, "can't be cloned"),
          (empty, .host, "this machine's own root"), ("none.deb", base, "there is no such file"),
          ("http://localhost:1/x.tar", base, "can't be fetched"),
        ]
        for (word, image, reason) in cases {
          let error = try #require(throws: LabError.self) {
            try test.store.install(try SoftwareSource([word], in: test.place), onto: image)
          }
          #expect(error.message.contains(reason), "\(error)")
        }
        #expect(test.store.layers() == [])
        #expect(try TestStore.shared.layers().count == layers)
        #expect(Files.list(test.store.directory + "/building") == [])
      }
    }

    @Test("a failing build shows the end of what it said")
    func failure() throws {
      try TestStore.run("failing") { test in
        let base = try test.imageWithMake()
        let tree = try test.oar2(version: "2.5.78")
        try Files.write(
          "server-install:\n\t@echo it is broken; exit 1\n", to: tree + "/Makefile")
        let error = try #require(throws: LabError.self) { try test.install(tree, onto: base) }
        #expect(error.message.contains("installing oar2 failed with exit code 2"), "\(error)")
        #expect(error.logTail.contains("it is broken"), "\(error)")
      }
    }

    @Test("files of Debian packages are installed in a layer, with what they depend on")
    func debs() throws {
      try TestStore.run("debs") { test in
        let base = try TestStore.shared.prepare(.debian("bookworm"))
        let control = """
          Package: liburna-test
          Version: 1.0
          Architecture: all
          Maintainer: nobody <nobody@localhost>
          Description: for a test

          """
        let tree = try test.root(
          "deb", ["DEBIAN/control": control, "opt/liburna-test/file": "packed"])
        try test.run(["dpkg-deb", "--build", "--root-owner-group", tree, tree + ".deb"])
        let source = try SoftwareSource(["deb.deb"], in: test.place)
        let image = try #require(try test.store.install(source, onto: base).image)
        #expect(try Files.readText(image.directories[0] + "/opt/liburna-test/file") == "packed")
        #expect(try test.store.install(source, onto: base).image == image)
      }
    }

    @Test("a tree of Liburna is not copied: its programs are shared as they are")
    func live() throws {
      try TestStore.run("live") { test in
        let tree = try test.root("liburna", ["Package.swift": "  name: \"liburna\",\n"])
        let missing = try #require(throws: LabError.self) {
          try test.store.install(.tree(tree), onto: .host)
        }
        #expect(missing.message.contains("liburna"), "\(missing)")
        #expect(Files.list(tree).contains("Package.swift"))
      }
    }
  }
}

extension TestStore {
  /// The smallest tree that is taken for one of OAR 2, whose targets leave marks.
  func oar2(version: String) throws -> String {
    let makefile = """
      server-install:
      \tmkdir -p $(PREFIX)/lib/oar
      \tcp * $(PREFIX)/lib/oar/ 2>/dev/null || true
      \tcp sources/core/common-libs/lib/OAR/Version.pm $(PREFIX)/lib/oar/Almighty
      \tchmod 755 $(PREFIX)/lib/oar/Almighty
      \ttouch built-here
      node-install user-install:
      server-setup:
      \tmkdir -p /etc/oar && touch /etc/oar/set-up
      node-setup user-setup:

      """
    return try root(
      "oar2",
      [
        "Makefile": makefile, "Makefiles/server.mk": "", ".gitignore": "*.o\n",
        "sources/core/common-libs/lib/OAR/Version.pm": "my $OARVersion = \"\(version)\";\n",
      ])
  }

  func git(_ tree: String) throws {
    let identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    for command in [
      ["init", "-q"], ["add", "."], identity + ["commit", "-qm", "x"], ["tag", "v77"],
    ] {
      try run(["git", "-C", tree] + command)
    }
  }

  func imageWithMake() throws -> Image {
    try Self.shared.prepare(.debian("bookworm"), packages: ["make"])
  }

  /// Installs as it is done for OAR 2, on an image that needs no compiler.
  func install(_ word: String, onto image: Image) throws -> InstalledSoftware {
    try store.installTree(
      try SoftwareSource([word], in: place), nil, onto: image,
      StoreWork(deadline: Self.deadline, progress: { _ in })
    ) { kind, tree in
      #expect(kind == .oar2)
      var recipe = TreeRecipe.oar2(tree)
      recipe.packages = []
      return recipe
    }
  }
}

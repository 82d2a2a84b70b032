// Images from archives: of every kind, whole, and without a way out.

import Compositions
import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("images from archives")
  struct ArchiveTests {
    private static let system = ["etc/motd": "hello", "bin/true": "", "var/old/file": "old"]

    @Test("a tar file of a root file system is unpacked once, whatever it is compressed with")
    func plain() throws {
      try TestStore.run("plain") { test in
        let root = try test.root("root", Self.system)
        #expect(chown(root + "/var/old", 1234, 1234) == 0)
        try test.run([
          "python3", "-c", "import os, sys; os.setxattr(sys.argv[1], 'user.mark', b'x')",
          root + "/bin/true",
        ])
        for option in ["--gzip", "--zstd", "--xz", "--no-acls"] {
          let archive = try test.tar(root, "--xattrs", option)
          var said: [String] = []
          let image = try test.store.prepare(.archive(archive)) { said.append($0) }
          #expect(said.count == 1)
          #expect(try test.content(of: image) == Self.system)
          var status = stat()
          #expect(stat(image.directories[0] + "/var/old", &status) == 0)
          #expect(status.st_uid == 1234)
          try test.run([
            "python3", "-c", "import os, sys; os.getxattr(sys.argv[1], 'user.mark')",
            image.directories[0] + "/bin/true",
          ])
          #expect(try test.store.prepare(.archive(archive)) { said.append($0) } == image)
          #expect(said.count == 1)
        }
        // The same content under another name is the same image.
        #expect(test.store.layers().count == 4)
        #expect(rename(root + ".tar", root + "-2.tar") == 0)
        _ = try test.store.prepare(.archive(root + "-2.tar"))
        #expect(test.store.layers().count == 4)
      }
    }

    @Test("layers that docker saved are flattened, with what they hide and what they replace")
    func dockerSave() throws {
      try TestStore.run("docker") { test in
        try Self.layers(of: test, in: "saved")
        let manifest = #"[{"Config":"c.json","Layers":["1/layer.tar","2/layer.tar"]}]"#
        try Files.write(manifest, to: test.place + "/saved/manifest.json")
        let image = try test.store.prepare(.archive(try test.tar(test.place + "/saved")))
        #expect(try test.content(of: image) == Self.flattened)
      }
    }

    @Test("an OCI layout is read through its indexes to the image for this machine")
    func ociLayout() throws {
      try TestStore.run("oci") { test in
        try Self.layers(of: test, in: "layers")
        let layout = try Self.layout(of: test)
        for source in [RootSource.archive(layout), .archive(try test.tar(layout))] {
          let image = try test.store.prepare(source)
          #expect(try test.content(of: image) == Self.flattened)
        }
        // A blob that is not what its name says.
        let blobs = layout + "/blobs/sha256"
        for name in Files.list(blobs) {
          let content = try Files.read(blobs + "/" + name)
          try Files.write(content + [10], to: blobs + "/" + name)
        }
        let error = try #require(throws: LabError.self) {
          try test.store.prepare(.archive(layout))
        }
        #expect(error.message.contains("damaged"))
      }
    }

    @Test("what a manifest names must lie in the archive")
    func manifests() throws {
      try TestStore.run("manifests") { test in
        let secret = try test.tar(try test.root("secret", Self.system))
        for name in [secret, "../secret.tar", "link.tar", "none.tar", "."] {
          let saved = test.place + "/saved"
          try Files.makeDirectories(saved)
          unlink(saved + "/link.tar")
          symlink(secret, saved + "/link.tar")
          try Files.write(#"[{"Layers":["\#(name)"]}]"#, to: saved + "/manifest.json")
          let error = try #require(throws: LabError.self) {
            try test.store.prepare(.archive(try test.tar(saved)))
          }
          #expect(error.message.contains("which is no file in it"), "\(error)")
        }
        for manifest in ["[", "{}", "[]", #"[{"Layers":[]}]"#, #"[{"Layers":[1]}]"#] {
          try Files.write(manifest, to: test.place + "/saved/manifest.json")
          #expect(throws: LabError.self) {
            try test.store.prepare(.archive(try test.tar(test.place + "/saved")))
          }
        }
        #expect(test.store.layers() == [])
        #expect(Files.list(test.store.directory + "/building") == [])
      }
    }

    @Test("neither a file nor a whiteout of a layer reaches out of the image through a link")
    func escapes() throws {
      try TestStore.run("escapes") { test in
        let victim = test.place + "/victim"
        _ = try test.root("victim", ["kept": "kept", "sub/kept": "kept"])
        var first = try test.root("saved/1", Self.system)
        symlink(victim, first + "/way")
        try Files.makeDirectories(test.place + "/2/way/sub")
        try Files.write("new", to: test.place + "/2/way/planted")
        try Files.write("", to: test.place + "/2/way/.wh.kept")
        try Files.write("", to: test.place + "/2/way/sub/.wh..wh..opq")
        // Without an entry for the directory, which would replace the link.
        try test.run([
          "tar", "-cf", test.place + "/saved/2.tar", "-C", test.place + "/2", "way/planted",
          "way/.wh.kept", "way/sub/.wh..wh..opq",
        ])
        first = try test.tar(first)
        try Files.removeTree(test.place + "/saved/1")
        try Files.write(#"[{"Layers":["1.tar","2.tar"]}]"#, to: test.place + "/saved/manifest.json")
        _ = try? test.store.prepare(.archive(try test.tar(test.place + "/saved")))
        #expect(Files.list(victim) == ["kept", "sub"])
        #expect(Files.list(victim + "/sub") == ["kept"])
        // A plain archive with names that climb.
        let climbing = test.place + "/climbing.tar"
        try test.run([
          "tar", "-cPf", climbing, "-C", test.place + "/victim",
          "--transform=s,^kept,../../../../../../\(test.place)/climbed,", "kept",
        ])
        #expect(throws: LabError.self) { try test.store.prepare(.archive(climbing)) }
        #expect(!Files.exists(test.place + "/climbed"))
      }
    }

    @Test("what is no archive, and an archive of no system, leave nothing behind")
    func garbage() throws {
      try TestStore.run("garbage") { test in
        try Files.write("garbage", to: test.place + "/garbage.tar")
        let broken = try #require(throws: LabError.self) {
          try test.store.prepare(.archive(test.place + "/garbage.tar"))
        }
        #expect(broken.message.contains("no whole tar file"))
        let archive = try test.tar(try test.root("nothing", ["opt/x": ""]))
        let nothing = try #require(throws: LabError.self) {
          try test.store.prepare(.archive(archive))
        }
        #expect(nothing.message.contains("does not hold a root file system"))
        #expect(test.store.layers() == [])
        #expect(Files.list(test.store.directory + "/building") == [])
      }
    }

    // MARK: - Parts

    /// Two layers: the second hides files and a directory's content, and replaces a directory by a
    /// file and the other way round.
    private static func layers(of test: TestStore, in place: String) throws {
      var lower = system
      lower["var/gone"] = "gone"
      lower["var/swap/file"] = "inner"
      lower["var/plain"] = "plain"
      let upper = [
        "etc/motd": "changed", "var/.wh.gone": "", "var/old/.wh..wh..opq": "", "var/old/new": "new",
        "var/swap": "a file now", "var/plain/file": "a directory now",
      ]
      for (name, files) in [("1", lower), ("2", upper)] {
        let root = try test.root("parts-" + name, files)
        let archive = try test.tar(root)
        try Files.makeDirectories(test.place + "/\(place)/\(name)")
        try #require(rename(archive, test.place + "/\(place)/\(name)/layer.tar") == 0)
      }
    }

    private static let flattened = [
      "etc/motd": "changed", "bin/true": "", "var/old/new": "new", "var/swap": "a file now",
      "var/plain/file": "a directory now",
    ]

    private static func layout(of test: TestStore) throws -> String {
      let layout = test.place + "/layout"
      try Files.makeDirectories(layout + "/blobs/sha256")
      func blob(_ content: [UInt8]) throws -> String {
        try Files.write(content, to: layout + "/blob")
        let digest = try Digest.ofFile(layout + "/blob", deadline: TestStore.deadline)
        try #require(rename(layout + "/blob", layout + "/blobs/sha256/" + digest) == 0)
        return "sha256:" + digest
      }
      let digests = try ["1", "2"].map {
        try blob(try Files.read(test.place + "/layers/\($0)/layer.tar"))
      }
      let entries = digests.map { #"{"digest":"\#($0)","size":1}"# }.joined(separator: ",")
      let manifest = try blob(Array(#"{"layers":[\#(entries)]}"#.utf8))
      let mine = #"{"os":"linux","architecture":"\#(ArchiveLayout.architecture)"}"#
      let inner = try blob(
        Array(
          (#"{"manifests":[{"digest":"sha256:0","platform":{"os":"plan9","architecture":"mips"}},"#
            + #"{"digest":"\#(manifest)","platform":\#(mine)}]}"#).utf8))
      try Files.write(#"{"manifests":[{"digest":"\#(inner)"}]}"#, to: layout + "/index.json")
      try Files.write(#"{"imageLayoutVersion":"1.0.0"}"#, to: layout + "/oci-layout")
      return layout
    }
  }
}

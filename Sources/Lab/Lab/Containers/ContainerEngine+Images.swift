// The images of an engine: brought in from a tar stream, or pulled, and looked into.

import Encoding
import Glibc

extension ContainerEngine {
  /// How long an image may take, in seconds.
  static let imagePatience = 900

  func hasImage(_ name: String) throws -> Bool {
    // Podman adds up the sizes of all layers, for seconds, before it describes an image; in its own
    // language it can be asked for less.
    let own = ContainerEngine(kind: kind, socket: socket, version: "4.0.0")
    let answer =
      kind == .podman
      ? try own.raw("GET", "/libpod/images/\(Self.path(name))/exists")
      : try raw("GET", "/images/\(Self.path(name))/json")
    guard answer.isFine || answer.status == 404 else { throw LabError(Self.words(answer)) }
    return answer.isFine
  }

  /// Makes an image of a root file system that comes as a tar stream.
  func importImage(_ name: String, from descriptor: Int32) throws {
    let path = "/images/create?fromSrc=-&repo=\(Self.escaped(name))&tag=latest"
    let answer = try raw("POST", path, .archive(descriptor), seconds: Self.imagePatience)
    try Self.checkStream(answer, "the image \(name)")
  }

  /// Fetches an image that the engine does not have.
  func pull(_ name: String) throws {
    let (repository, tag) = Self.parts(name)
    let path = "/images/create?fromImage=\(Self.escaped(repository))&tag=\(Self.escaped(tag))"
    let answer = try raw("POST", path, seconds: Self.imagePatience)
    try Self.checkStream(answer, "the image \(name)")
  }

  /// An image's name and its tag or digest.
  static func parts(_ name: String) -> (String, String) {
    if let at = name.firstIndex(of: "@") {
      return (String(name[..<at]), String(name[name.index(after: at)...]))
    }
    let slash = name.lastIndex(of: "/") ?? name.startIndex
    guard let colon = name[slash...].lastIndex(of: ":") else { return (name, "latest") }
    return (String(name[..<colon]), String(name[name.index(after: colon)...]))
  }

  /// Slashes of a name are slashes of the path.
  private static func path(_ name: String) -> String {
    name.split(separator: "/", omittingEmptySubsequences: false).map { escaped(String($0)) }
      .joined(separator: "/")
  }

  /// Progress comes as one object after the other, and a failure among it.
  private static func checkStream(_ answer: Answer, _ what: String) throws {
    guard answer.isFine else { throw LabError("\(what): " + words(answer)) }
    for line in answer.body.split(separator: UInt8(ascii: "\n")) {
      guard let value = try? JSONReader.read(Array(line)) else { continue }
      if let error = value["error"]?.string { throw LabError("\(what): \(error)") }
    }
  }

  // MARK: - Looking into an image

  /// The text of files in an image, nil for those that it lacks.
  func files(_ paths: [String], of image: String, label lab: String) throws -> [String?] {
    let spec = JSONValue.fields([
      "Image": .string(image), "Cmd": .array([.string("/nothing")]),
      "Labels": .fields([Self.label: .string(lab)]),
    ])
    let name = lab + "-look"
    // A tool that was killed may have left one.
    try remove(name)
    let container = try create(name, spec)
    defer { try? remove(container) }
    return try paths.map { path in
      let query = "/containers/\(container)/archive?path=" + Self.escaped(path)
      let answer = try raw("GET", query)
      guard answer.status != 404 else { return nil }
      guard answer.isFine else { throw LabError(Self.words(answer)) }
      return TarEntry.first(of: answer.body)
    }
  }
}

/// The one file of a small tar archive.
enum TarEntry {
  private static let block = 512

  /// The text of the first plain file in an archive; "" for another kind of entry.
  static func first(of archive: [UInt8]) -> String? {
    var place = 0
    while place + block <= archive.count, archive[place] != 0 {
      let digits = archive[(place + 124)..<(place + 136)].prefix { (48...55).contains($0) }
      let size = digits.reduce(0) { $0 * 8 + Int($1 - 48) }
      let content = place + block
      guard size >= 0, content + size <= archive.count else { return nil }
      let kind = archive[place + 156]
      if kind == UInt8(ascii: "0") || kind == 0 {
        return String(decoding: archive[content..<(content + size)], as: UTF8.self)
      }
      // Headers that extend the next one are skipped.
      guard [UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L")].contains(kind) else {
        return ""
      }
      place = content + (size + block - 1) / block * block
    }
    return nil
  }
}

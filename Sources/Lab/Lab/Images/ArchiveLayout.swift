// What an unpacked image archive says about its layers: an OCI layout (index.json, then manifests
// among the blobs), or manifest.json as `docker save` writes it. What it names must lie inside.

import Encoding
import Glibc

struct ArchiveLayout {
  var directory: String
  var deadline: Deadline

  struct Layer: Equatable {
    var name: String
    var path: String
    /// The SHA-256 that it must have, if the archive says so.
    var digest: String?
  }

  /// The most layers of an image.
  private static let layerLimit = 1000
  /// The most indexes within each other.
  private static let depthLimit = 4

  // MARK: - docker save

  /// The layers of the first image, lowest first.
  func savedLayers() throws -> [Layer] {
    let manifest = try json("manifest.json")
    guard let image = manifest.array?.first, let layers = image["Layers"]?.array else {
      throw problem("manifest.json lists no image with Layers")
    }
    return try checked(layers).map { value in
      guard let name = value.string else {
        throw problem("a layer must be a text, not \(value.excerpt)")
      }
      return Layer(name: name, path: try inside(name), digest: nil)
    }
  }

  // MARK: - OCI

  /// The layers of the image for this machine, lowest first.
  func ociLayers() throws -> [Layer] {
    let manifest = try manifest(in: try json("index.json"), depth: 0)
    guard let layers = manifest["layers"]?.array else {
      throw problem("the manifest of the image has no layers")
    }
    return try checked(layers).map(blob)
  }

  private func manifest(in index: JSONValue, depth: Int) throws -> JSONValue {
    if index["layers"] != nil { return index }
    guard depth < Self.depthLimit, let entries = index["manifests"]?.array else {
      throw problem("index.json leads to no manifest of an image")
    }
    let fitting = entries.filter { entry in
      guard let platform = entry["platform"] else { return true }
      return platform["os"]?.string == "linux"
        && platform["architecture"]?.string == Self.architecture
    }
    guard let entry = fitting.first else {
      throw problem("it has no image for linux on \(Self.architecture)")
    }
    let blob = try blob(entry)
    try verify(blob)
    return try manifest(in: try json(blob.name), depth: depth + 1)
  }

  /// This machine's processor, as images call it.
  static var architecture: String {
    #if arch(arm64)
      "arm64"
    #else
      "amd64"
    #endif
  }

  private func blob(_ entry: JSONValue) throws -> Layer {
    let digest = entry["digest"]?.string ?? ""
    let hexadecimal = digest.dropFirst("sha256:".count)
    guard digest.hasPrefix("sha256:"), hexadecimal.utf8.count == 64,
      hexadecimal.allSatisfy({ $0.isHexDigit && $0.isASCII })
    else {
      throw problem("a digest must be sha256: and 64 digits, not \(digest.prefix(80))")
    }
    let name = "blobs/sha256/" + hexadecimal
    return Layer(name: name, path: try inside(name), digest: String(hexadecimal).lowercased())
  }

  /// Makes sure that a layer is what its name says.
  func verify(_ layer: Layer) throws {
    guard let digest = layer.digest else { return }
    guard try Digest.ofFile(layer.path, deadline: deadline) == digest else {
      throw problem("\(layer.name) is damaged: its content has another digest")
    }
  }

  // MARK: - Files

  /// The path of an ordinary file that the archive names. Links are followed, as some archives hold
  /// a layer twice, but not out of it.
  private func inside(_ name: String) throws -> String {
    guard !name.hasPrefix("/"), !name.split(separator: "/").contains(".."),
      let base = Files.resolve(directory), let path = Files.resolve(directory + "/" + name),
      path.hasPrefix(base + "/"), Files.isFile(path)
    else { throw problem("it names \(name.prefix(120)), which is no file in it") }
    return path
  }

  private func json(_ name: String) throws -> JSONValue {
    let path = try inside(name)
    do {
      return try JSONReader.read(try Files.read(path))
    } catch let error as JSONError {
      throw problem("\(name): \(error)")
    }
  }

  private func checked(_ layers: [JSONValue]) throws -> [JSONValue] {
    guard (1...Self.layerLimit).contains(layers.count) else {
      throw problem("it has \(layers.count) layers; allowed: 1 to \(Self.layerLimit)")
    }
    return layers
  }

  private func problem(_ what: String) -> LabError { LabError("the image can't be read: \(what)") }
}

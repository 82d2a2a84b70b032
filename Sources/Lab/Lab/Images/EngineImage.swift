// Images that podman or docker has or fetches, or that skopeo fetches: saved to a file by the engine
// itself, then unpacked like any other archive.

import Glibc

extension ImageStore {
  /// Bytes of the disk without which no image is saved.
  private static let engineRoom = 200 << 20

  func engineImage(_ name: String, _ work: StoreWork) throws -> Image {
    let allowed = name.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "._-/:@".utf8.contains(byte)
    }
    guard allowed, (1...255).contains(name.utf8.count), !name.hasPrefix("-") else {
      throw LabError("\(name) can't be the name of an image, such as debian:bookworm-slim")
    }
    let engines = Engine.allCases.filter { ToolRun.find($0.rawValue) != nil }
    guard !engines.isEmpty else {
      throw LabError(
        "image \(name): there is neither podman nor docker nor skopeo to get it; install one, such "
          + "as with apt-get install podman, or give the image as a file (`archive`)")
    }
    var problems: [String] = []
    for engine in engines {
      do {
        let id = try engine.identify(name, work)
        return try engineImage(name, id: id, of: engine, work)
      } catch let error as EngineProblem {
        problems.append("\(engine.rawValue): \(error.words)")
      }
    }
    throw LabError(
      "image \(name) can't be had: " + problems.joined(separator: "; ")
        + ". Check its name, and that its registry can be reached; or save it where it is known "
        + "(`podman save -o FILE \(name)`) and say `root: ./FILE` in the composition")
  }

  private func engineImage(
    _ name: String, id: String, of engine: Engine, _ work: StoreWork
  ) throws -> Image {
    let recipe = LayerRecipe(
      key: try Digest.of(["engine 1", id], deadline: work.deadline), origin: "image \(name)",
      on: nil, needs: Self.engineRoom,
      announcement: "taking image \(name) from \(engine.rawValue), once")
    return try layer(recipe, work) { site in
      let archive = site.scratch + "/saved.tar"
      try engine.save(name, to: archive, work)
      try unpack(archive, at: site, work)
    }
  }
}

/// What an engine said when it could not do something.
struct EngineProblem: Error {
  var words: String
}

/// A program that has images.
enum Engine: String, CaseIterable {
  case podman
  case docker
  case skopeo

  /// What tells the image's content, after fetching it if the engine does not have it yet.
  func identify(_ name: String, _ work: StoreWork) throws -> String {
    if self == .skopeo {
      return try ask(["inspect", "--format", "{{.Digest}}", "docker://" + name], work)
    }
    let inspect = ["image", "inspect", "--format", "{{.Id}}", name]
    if let id = try? ask(inspect, work) { return id }
    work.progress("fetching image \(name) with \(rawValue)")
    _ = try ask(["pull", "--quiet", name], work)
    return try ask(inspect, work)
  }

  func save(_ name: String, to archive: String, _ work: StoreWork) throws {
    do {
      switch self {
      case .podman:
        _ = try ask(["save", "--quiet", "--format", "docker-archive", "-o", archive, name], work)
      case .docker: _ = try ask(["save", "-o", archive, name], work)
      case .skopeo:
        _ = try ask(["copy", "--quiet", "docker://" + name, "docker-archive:" + archive], work)
      }
    } catch let error as EngineProblem {
      throw LabError("\(rawValue) can't save it: \(error.words)")
    }
  }

  private func ask(_ arguments: [String], _ work: StoreWork) throws -> String {
    let answer: ToolRun.Answer
    do {
      answer = try ToolRun.run([rawValue] + arguments, deadline: work.deadline)
    } catch let error as LabError {
      throw EngineProblem(words: error.message)
    }
    guard answer.code == 0 else {
      let words = answer.complaint
      throw EngineProblem(words: words.isEmpty ? "exit code \(answer.code)" : words)
    }
    return answer.output.trimmed
  }
}

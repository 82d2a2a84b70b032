// The map of Docs/Design.md, held against the sources: who imports whom, and what must not be written.

import Testing

@Suite("Architecture")
struct ArchitectureTests {
  let repository: Repository

  init() throws { repository = try Repository() }

  @Test("every layer and every target of the sources has its place on the map")
  func places() {
    for target in repository.targets {
      #expect(Layer.all[target.layer] != nil, "Sources/\(target.layer) is on no map")
      #expect(
        repository.map.contains("`\(target.name)`"),
        "Docs/Design.md does not name \(target.layer)/\(target.name)")
    }
  }

  @Test("imports go the way of the layers and no other")
  func imports() throws {
    for file in repository.sources {
      for module in file.imports {
        let problem = Layer.problem(importing: module, into: file.target, of: repository)
        #expect(problem == nil, "\(file.path): \(problem ?? "")")
      }
    }
  }

  @Test("no two targets import each other, by whatever way")
  func cycles() throws {
    var edges: [String: Set<String>] = [:]
    for file in repository.sources { edges[file.target.name, default: []].formUnion(file.imports) }
    for target in repository.targets {
      var (reached, front) = (Set<String>(), edges[target.name] ?? [])
      while let next = front.popFirst() {
        if reached.insert(next).inserted { front.formUnion(edges[next] ?? []) }
      }
      #expect(!reached.contains(target.name), "\(target.name) imports itself")
    }
  }

  @Test("SQL is written by the stores alone")
  func sql() throws {
    let statement = #/(SELECT .+ FROM |INSERT (OR \w+ )?INTO |UPDATE \w+ SET |DELETE FROM )/#
    for file in repository.sources where file.target.layer != "Storage" {
      for (number, line) in file.lines.enumerated() where !line.isComment {
        #expect(line.firstMatch(of: statement) == nil, "\(file.path):\(number + 1) holds SQL")
      }
    }
  }

  @Test("nothing is left for later")
  func leftovers() throws {
    // Put together, so that this file does not find itself.
    let words = ["TO" + "DO", "FIX" + "ME", "X" + "XX:", "HA" + "CK:"]
    for file in repository.sources + repository.tests {
      for (number, line) in file.lines.enumerated() {
        for word in words {
          #expect(!line.contains(word), "\(file.path):\(number + 1) says \(word)")
        }
      }
    }
  }

  @Test("files say what they are for and stay short")
  func files() throws {
    for file in repository.sources + repository.tests where !file.path.hasSuffix(".modulemap") {
      #expect(file.lines.count <= 600, "\(file.path) has \(file.lines.count) lines")
      let begins = file.lines.first.map { $0.isComment } ?? false
      #expect(begins, "\(file.path) does not begin by saying what it is for")
    }
  }

  @Test("nothing crashes by wish: no forced try, cast or unwrapping in the sources")
  func force() throws {
    let forced = #/\b(try!|as!)|[\w)\]]!(\s*[.,)\]]|$)/#
    for file in repository.sources where file.path.hasSuffix(".swift") {
      for (number, line) in file.lines.enumerated() where !line.isComment && !line.contains("\"") {
        #expect(line.firstMatch(of: forced) == nil, "\(file.path):\(number + 1): \(line)")
      }
    }
  }

  @Test("programs are a main each")
  func programs() throws {
    for target in repository.targets where target.layer == "Executables" {
      let files = repository.sources.filter { $0.target == target }
      #expect(files.count == 1, "\(target.name) has \(files.count) files")
      #expect(files.allSatisfy { $0.lines.count <= 60 }, "\(target.name) holds more than a main")
    }
  }
}

extension StringProtocol {
  fileprivate var isComment: Bool { drop { $0 == " " }.hasPrefix("//") }
}

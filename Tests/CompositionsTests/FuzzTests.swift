// A shipped file, damaged at random: reading it never crashes, and what is wrong has a line.

import Compositions
import Testing

@Suite("Damaged composition files")
struct FuzzTests {
  /// Repeatable: the same damage in every run.
  struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var value = state
      value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
      value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
      return value ^ (value >> 31)
    }
  }

  static let pieces: [String] = [
    "\n", " ", "  ", ":", "- ", "[", "]", "{", "}", "&a ", "*a", "<<: *a", "|\n", "\"", "'", "!!x ",
    "#", "---\n", "...\n", "\t", "~", "?", "%", "@", "-1", "99999999999999999999", "\u{0}",
    "\u{FEFF}", "é", "setups:\n  a:\n    ", "+packages: [x]\n", "roles: {}\n",
  ]

  @Test("a damaged file is read or refused with a line", arguments: CompositionFile.shippedNames)
  func damage(name: String) throws {
    let original = try #require(CompositionFile.shippedBytes(name))
    var dice = Dice(state: 4)
    var refused = 0
    for round in 0..<300 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &dice) { change(&bytes, &dice) }
      do throws(CompositionError) {
        _ = try CompositionFile(reading: bytes, name: "lab.yaml")
      } catch {
        refused += 1
        #expect(!error.problems.isEmpty)
        for problem in error.problems {
          #expect((problem.line ?? 0) >= 1, "round \(round): \(problem)")
          #expect(!problem.description.contains("\n"), "round \(round): \(problem)")
        }
      }
    }
    #expect(refused > 50)
  }

  private func change(_ bytes: inout [UInt8], _ dice: inout Dice) {
    guard !bytes.isEmpty else { return }
    let place = Int.random(in: 0..<bytes.count, using: &dice)
    switch Int.random(in: 0..<6, using: &dice) {
    case 0: bytes[place] = UInt8.random(in: 0...255, using: &dice)
    case 1: bytes.remove(at: place)
    case 2: bytes.removeSubrange(place..<min(bytes.count, place + 40))
    case 3:
      let other = Int.random(in: 0..<bytes.count, using: &dice)
      bytes.insert(contentsOf: bytes[other..<min(bytes.count, other + 60)], at: place)
    case 4: bytes.removeSubrange(place...)
    default:
      bytes.insert(
        contentsOf: Self.pieces.randomElement(using: &dice).map { Array($0.utf8) } ?? [], at: place)
    }
  }
}

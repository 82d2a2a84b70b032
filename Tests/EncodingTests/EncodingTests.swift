// CBOR there and back, and input that is none.

import Encoding
import Testing

private struct Sample: Codable, Equatable {
  enum Shape: Codable, Equatable {
    case point
    case circle(radius: Int)
    case line(Int, to: Int?)
  }
  var number = -5
  var text = "été"
  var flag = true
  var ratio = 0.25
  var missing: Int?
  var list = [1, 200, 70_000, Int.max, Int.min]
  var names = ["a": 1, "b": 2]
  var pairs: [Int: String] = [3: "x"]
  var shapes: [Shape] = [.point, .circle(radius: 3), .line(1, to: nil), .line(1, to: 2)]
  var nested = [["a"], [], ["b", "c"]]
  var bytes: [UInt8] = [0, 255, 7]
  var small: UInt8 = 9
}

private struct Older: Codable, Equatable {
  var number: Int
  var later: String?
}

@Suite("CBOR") struct CBORTests {
  @Test("a value comes back as it was") func roundTrip() throws {
    let bytes = try CBOREncoder().encode(Sample())
    #expect(try CBORDecoder().decode(Sample.self, from: bytes) == Sample())
  }

  @Test("unknown keys are ignored and missing optional ones are nil") func evolution() throws {
    let bytes = try CBOREncoder().encode(Sample())
    #expect(
      try CBORDecoder().decode(Older.self, from: bytes) == Older(number: -5, later: nil))
  }

  @Test("a missing key is named") func missingKey() throws {
    let bytes = try CBOREncoder().encode(["other": 1])
    let error = #expect(throws: CBORError.self) {
      try CBORDecoder().decode(Older.self, from: bytes)
    }
    #expect(error?.description.contains("\"number\"") == true)
  }

  @Test("a truncated value is refused at every length") func truncation() throws {
    let bytes = try CBOREncoder().encode(Sample())
    for length in 0..<bytes.count {
      #expect(throws: (any Error).self) {
        try CBORDecoder().decode(Sample.self, from: Array(bytes[..<length]))
      }
    }
  }

  @Test("damaged and random bytes never trap") func damage() throws {
    var random = SystemRandomNumberGenerator()
    let good = try CBOREncoder().encode(Sample())
    for round in 0..<20_000 {
      var bytes = good
      if round % 2 == 0 {
        for _ in 0..<3 {
          bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255)
        }
      } else {
        bytes = (0..<Int.random(in: 0..<60)).map { _ in UInt8.random(in: 0...255) }
      }
      _ = try? CBORDecoder().decode(Sample.self, from: bytes)
    }
  }

  @Test("a deep nest is refused") func depth() {
    let bytes = [UInt8](repeating: 0x81, count: 100_000) + [0]
    #expect(throws: CBORError.self) { try CBORDecoder().decode([Int].self, from: bytes) }
  }
}

// How JSON is read, and what is no JSON.

import Encoding
import Testing

struct JSONReaderTests {
  @Test("values keep their order, their repetitions and the text of their numbers")
  func values() throws {
    let value = try JSONReader.read(
      #" { "b": [1, -0.50e+2, true, false, null, ""], "a": {}, "b": [ ] } "#)
    #expect(
      value
        == .object([
          JSONMember(
            "b",
            .array([
              .number("1"), .number("-0.50e+2"), .bool(true), .bool(false), .null, .string(""),
            ])), JSONMember("a", .object([])), JSONMember("b", .array([])),
        ]))
    #expect(value["b"] == .array([]) && value["c"] == nil && value["a"]?["b"] == nil)
  }

  @Test("escapes are characters")
  func escapes() throws {
    let value = try JSONReader.read(#""\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00 é€😀""#)
    #expect(value.string == "\"\\/\u{8}\u{c}\n\r\té€😀 é€😀")
  }

  @Test(
    "what is no JSON is refused, with the place",
    arguments: [
      ("", 1, 1), ("  ", 1, 3), ("{", 1, 2), ("[1,]", 1, 4), ("{\"a\":1,}", 1, 8), ("[1 2]", 1, 4),
      ("{a:1}", 1, 2), ("{\"a\" 1}", 1, 6), ("[01]", 1, 3), ("[1.]", 1, 4), ("[.5]", 1, 2),
      ("[+1]", 1, 2), ("[1e]", 1, 4), ("[-]", 1, 3), ("tru", 1, 1), ("nulll", 1, 5), ("1 1", 1, 3),
      ("{\n  \"é\": 'x'\n}", 2, 8), ("[\n// comment\n1]", 2, 1), ("\"\\x\"", 1, 3),
      ("\"\\u12g4\"", 1, 6), ("\"\\ud83d\"", 1, 2), ("\"\\udc00\"", 1, 2),
      ("\"\\ud83d\\u0041\"", 1, 2),
      ("[\"a\nb\"]", 1, 4), ("[\"abc", 1, 2), ("\u{feff}{}", 1, 1), ("[NaN]", 1, 2),
    ])
  func mistakes(text: String, line: Int, column: Int) {
    let error = #expect(throws: JSONError.self) { try JSONReader.read(text) }
    #expect(error?.line == line && error?.column == column, "\(text): \(String(describing: error))")
  }

  @Test("depth and size have bounds")
  func bounds() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try JSONReader.read(nested(JSONReader.depthLimit))
    #expect(throws: JSONError.self) { try JSONReader.read(nested(JSONReader.depthLimit + 1)) }
    #expect(throws: JSONError.self) { try JSONReader.read(String(repeating: "[", count: 100_000)) }
    #expect(throws: JSONError.self) { try JSONReader.read(Array("[1, 2]".utf8), sizeLimit: 5) }
    #expect(try JSONReader.read(Array("[1, 2]".utf8), sizeLimit: 6).array?.count == 2)
  }

  @Test("bytes that are not UTF-8 are refused in strings")
  func notUTF8() {
    let bytes: [UInt8] = [0x22, 0xC3, 0x28, 0x22]
    #expect(throws: JSONError.self) { try JSONReader.read(bytes) }
  }

  @Test("no sequence of bytes makes the reader fail otherwise")
  func anything() {
    let pieces: [UInt8] = Array("{}[]\",:\\u0d8e-.tf1 \n\u{e9}".utf8) + [0, 0xFF]
    var state: UInt64 = 42
    for _ in 0..<5000 {
      var bytes: [UInt8] = []
      for _ in 0..<12 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes.append(pieces[Int(state >> 33) % pieces.count])
      }
      _ = try? JSONReader.read(bytes)
    }
  }
}

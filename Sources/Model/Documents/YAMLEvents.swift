// libyaml's events as values: the one place that holds its parser.

import CYAML

/// What a YAML text consists of, one after the other.
struct YAMLEvent {
  enum Kind {
    case streamStart, streamEnd, documentStart, documentEnd
    case listStart, listEnd, mapStart, mapEnd
    case scalar(String, isPlain: Bool)
    case alias(String)
  }

  var kind: Kind
  /// Counted from 1.
  var line: Int
  var column: Int
  var anchor: String?
  var tag: String?
}

/// Takes a text apart with libyaml.
final class YAMLEvents {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  /// The parser reads it until the end.
  private let input: UnsafeMutableBufferPointer<UInt8>
  private let file: String

  /// - Throws: ``DocumentError`` if there is no memory for it.
  init(_ bytes: [UInt8], file: String) throws(DocumentError) {
    self.file = file
    input = .allocate(capacity: max(1, bytes.count))
    _ = input.initialize(from: bytes)
    parser = .allocate(capacity: 1)
    parser.initialize(to: yaml_parser_t())
    guard yaml_parser_initialize(parser) == 1 else {
      throw DocumentError(file: file, "there is no memory to read it")
    }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
    input.deallocate()
  }

  /// - Throws: ``DocumentError`` with libyaml's words if the text is no YAML.
  func next() throws(DocumentError) -> YAMLEvent {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw refusal }
    defer { yaml_event_delete(&event) }
    return try value(of: event)
  }

  private func value(of event: yaml_event_t) throws(DocumentError) -> YAMLEvent {
    var result = YAMLEvent(
      kind: .streamStart, line: Int(event.start_mark.line) + 1,
      column: Int(event.start_mark.column) + 1)
    switch event.type {
    case YAML_STREAM_START_EVENT: break
    case YAML_STREAM_END_EVENT: result.kind = .streamEnd
    case YAML_DOCUMENT_START_EVENT: result.kind = .documentStart
    case YAML_DOCUMENT_END_EVENT: result.kind = .documentEnd
    case YAML_ALIAS_EVENT: result.kind = .alias(Self.text(event.data.alias.anchor) ?? "")
    case YAML_SEQUENCE_START_EVENT:
      result.kind = .listStart
      result.anchor = Self.text(event.data.sequence_start.anchor)
      result.tag = Self.text(event.data.sequence_start.tag)
    case YAML_SEQUENCE_END_EVENT: result.kind = .listEnd
    case YAML_MAPPING_START_EVENT:
      result.kind = .mapStart
      result.anchor = Self.text(event.data.mapping_start.anchor)
      result.tag = Self.text(event.data.mapping_start.tag)
    case YAML_MAPPING_END_EVENT: result.kind = .mapEnd
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      result.kind = .scalar(
        String(decoding: bytes, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
      result.anchor = Self.text(scalar.anchor)
      result.tag = Self.text(scalar.tag)
    default: throw DocumentError(file: file, "libyaml tells of something unknown")
    }
    return result
  }

  private static func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    bytes.map { String(cString: $0) }
  }

  /// Why libyaml went no further.
  private var refusal: DocumentError {
    let problem = parser.pointee.problem.map { String(cString: $0) } ?? "no memory"
    if parser.pointee.error == YAML_READER_ERROR {
      // Bytes that are no text have no mark, only a place in the file.
      let before = input.prefix(min(parser.pointee.problem_offset, input.count))
      let line = before.count { $0 == UInt8(ascii: "\n") } + 1
      let column = before.count - ((before.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1) + 1
      return refused(problem, line: line, column: column)
    }
    let mark = parser.pointee.problem_mark
    var message = problem
    if let context = parser.pointee.context {
      message += ", \(String(cString: context))"
      let start = Int(parser.pointee.context_mark.line)
      if start != Int(mark.line) { message += " that begins on line \(start + 1)" }
    }
    return refused(message, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
  }

  private func refused(_ message: String, line: Int, column: Int) -> DocumentError {
    DocumentError([
      DocumentProblem(
        file: file, line: line, column: column, message: "this is no YAML: \(message)")
    ])
  }
}

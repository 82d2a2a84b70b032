// Frames, however the bytes were chopped on their way.

import Encoding
import Testing
import Wire

@Suite("Frames") struct FrameTests {
  private func sample() throws -> (bytes: [UInt8], frames: [Frame]) {
    let frames: [Frame] = [
      .message(try CBOREncoder().encode("hello")), .channel(7, [1, 2, 3]), .channel(8, []),
      .message(try CBOREncoder().encode([1, 2])),
    ]
    var bytes: [UInt8] = []
    for frame in frames { FrameWriter.append(frame, to: &bytes) }
    return (bytes, frames)
  }

  @Test("frames come out as they went in, however the stream is cut", arguments: [1, 2, 3, 7, 100])
  func cuts(_ size: Int) throws {
    let (bytes, frames) = try sample()
    var reader = FrameReader()
    var read: [Frame] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      reader.append(bytes[start..<min(start + size, bytes.count)])
      while let frame = try reader.next() { read.append(frame) }
    }
    #expect(read == frames)
    #expect(!reader.isMidFrame)
  }

  @Test("a frame beyond the limit is refused by its length alone") func tooLong() throws {
    var reader = FrameReader(sizeLimit: 10)
    reader.append([0, 0, 0, 11, 0])
    #expect(throws: FrameError.self) { try reader.next() }
  }

  @Test(
    "a frame of an unknown kind or without room for its channel is refused",
    arguments: [[0, 0, 0, 3, 9, 1, 1], [0, 0, 0, 2, 1, 1], [0, 0, 0, 0, 0]] as [[UInt8]])
  func nonsense(_ bytes: [UInt8]) {
    var reader = FrameReader()
    reader.append(bytes)
    #expect(throws: FrameError.self) { try reader.next() }
  }

  @Test("half a frame is no frame yet") func half() throws {
    let (bytes, _) = try sample()
    var reader = FrameReader()
    reader.append(bytes[..<5])
    #expect(try reader.next() == nil)
    #expect(reader.isMidFrame)
  }
}

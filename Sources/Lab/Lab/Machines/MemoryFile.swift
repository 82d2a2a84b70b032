// Bytes as a file without a name, for a process to read as its standard input.

import CLinux
import Glibc

enum MemoryFile {
  /// A descriptor from which the bytes are read; -1 if there is no memory for them.
  static func make(_ bytes: [UInt8]) -> Int32 {
    bytes.withUnsafeBytes { clinux_memory_file($0.baseAddress, $0.count) }
  }
}

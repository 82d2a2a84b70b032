// How wide the terminal is that a stream ends at.

import Glibc

/// The columns of the terminal at a descriptor; `nil` if it is none or does not say.
public func terminalColumns(_ descriptor: Int32) -> Int? {
  var size = winsize()
  guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
  return Int(size.ws_col)
}

// The first process of hosts that are containers or machines of their own.

import Glibc
import Lab

@main
enum Main {
  static func main() { exit(HostProgram.run(Array(CommandLine.arguments.dropFirst()))) }
}

// The agent of a host.

import Glibc
import NodeAgent

@main
enum Main {
  static func main() { exit(NodeProgram.run(Array(CommandLine.arguments.dropFirst()))) }
}

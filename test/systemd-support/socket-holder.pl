# A service manager in small: holds listening sockets and passes them to a program, which it starts
# again when told to and when a signal kills it. Perl, because Node would accept what waits in the sockets.
#
#     perl socket-holder.pl NAME=ADDRESS:PORT[,KIND] ... -- PROGRAM ARGUMENT ...
#
# KIND: tcp (usual), tcp6 (on [::]), udp, unix or connected. Prints "NAME PORT" for each socket to standard
# error. Signals: USR2 ends the program with SIGTERM and starts it again; TERM ends both; HUP is
# passed on; exits as the program did. An empty NAME= passes no names.
use strict;
use warnings;
use Socket qw(:DEFAULT pack_sockaddr_in6 unpack_sockaddr_in6 IN6ADDR_ANY);
use POSIX ();

my (@names, @sockets, @peers);
while (@ARGV and (my $given = shift @ARGV) ne '--') {
  my ($name, $address, $port, $kind) = $given =~ /^(.*?)=(.+):(\d+)(?:,(\w+))?$/ or die "what is $given?";
  $kind //= 'tcp';
  my $family = { tcp6 => PF_INET6, unix => PF_UNIX }->{$kind} // PF_INET;
  socket(my $socket, $family, $kind eq 'udp' ? SOCK_DGRAM : SOCK_STREAM, 0) or die $!;
  setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1) or die $!;
  my $own = $kind eq 'unix' ? pack_sockaddr_un("\0edge-infer-test-$$")
    : $kind eq 'tcp6' ? pack_sockaddr_in6($port, IN6ADDR_ANY)
    : sockaddr_in($port, inet_aton($address));
  bind($socket, $own) or die $!;
  $kind eq 'udp' or listen($socket, 4096) or die $!;
  my $used = $kind eq 'unix' ? 0
    : $kind eq 'tcp6' ? (unpack_sockaddr_in6(getsockname($socket)))[0]
    : (sockaddr_in(getsockname($socket)))[0];
  if ($kind eq 'connected') {
    socket(my $peer, PF_INET, SOCK_STREAM, 0) or die $!;
    connect($peer, getsockname($socket)) or die $!;
    accept(my $accepted, $socket) or die $!;
    push @peers, $peer, $socket;
    $socket = $accepted;
  }
  printf STDERR "%s %d\n", $name, $used;
  push @names, $name;
  push @sockets, $socket;
}

my ($child, $isRestarting, $isEnding);
$SIG{USR2} = sub { $isRestarting = 1; kill 'TERM', $child };
$SIG{HUP} = sub { kill 'HUP', $child };
$SIG{TERM} = sub { $isEnding = 1; kill 'TERM', $child };
do {
  $isRestarting = 0;
  $child = fork // die $!;
  if ($child == 0) {
    $SIG{$_} = 'DEFAULT' for qw(USR2 HUP TERM);
    # Opened in order and never closed, they lie at 3 and up already; but close-on-exec.
    POSIX::dup2(fileno $sockets[$_], 100 + $_) and POSIX::dup2(100 + $_, 3 + $_) for 0 .. $#sockets;
    POSIX::close(100 + $_) for 0 .. $#sockets;
    $ENV{LISTEN_PID} = $$;
    $ENV{LISTEN_FDS} = @sockets;
    $ENV{LISTEN_FDNAMES} = join ':', @names if grep { $_ ne '' } @names;
    exec @ARGV or die $!;
  }
  while (waitpid($child, 0) != $child) { }
} while !$isEnding and ($isRestarting or $? & 127);
exit($? >> 8);

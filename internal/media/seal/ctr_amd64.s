#include "textflag.h"

// func cpuFeatures() uint32
TEXT ·cpuFeatures(SB), NOSPLIT, $0-4
	MOVL $1, AX
	XORL CX, CX
	CPUID
	MOVL CX, ret+0(FP)
	RET

// The next round key (FIPS 197 §5.2), after the one in X0: AESKEYGENASSIST does SubWord and RotWord of its last word,
// each word is then the sum of that and of the words of X0 up to its own.
#define NEXT_KEY(rcon, at) \
	AESKEYGENASSIST $rcon, X0, X1 \
	PSHUFD $0xff, X1, X1          \
	MOVOU  X0, X2                 \
	PSLLDQ $4, X2                 \
	PXOR   X2, X0                 \
	PSLLDQ $4, X2                 \
	PXOR   X2, X0                 \
	PSLLDQ $4, X2                 \
	PXOR   X2, X0                 \
	PXOR   X1, X0                 \
	MOVOU  X0, at(BX)

// func expandKey(key *[16]byte, schedule *schedule)
TEXT ·expandKey(SB), NOSPLIT, $0-16
	MOVQ  key+0(FP), AX
	MOVQ  schedule+8(FP), BX
	MOVOU (AX), X0
	MOVOU X0, (BX)
	NEXT_KEY(0x01, 16)
	NEXT_KEY(0x02, 32)
	NEXT_KEY(0x04, 48)
	NEXT_KEY(0x08, 64)
	NEXT_KEY(0x10, 80)
	NEXT_KEY(0x20, 96)
	NEXT_KEY(0x40, 112)
	NEXT_KEY(0x80, 128)
	NEXT_KEY(0x1b, 144)
	NEXT_KEY(0x36, 160)
	RET

// The counter is in R8 (upper half) and R9 as numbers; this puts it into x as a block, with the first round key (X8)
// already added, and counts up.
#define COUNTER(x) \
	MOVQ   R8, R10      \
	MOVQ   R9, R11      \
	BSWAPQ R10          \
	BSWAPQ R11          \
	MOVQ   R10, x       \
	PINSRQ $1, R11, x   \
	PXOR   X8, x        \
	ADDQ   $1, R9       \
	ADCQ   $0, R8

#define ROUND(at, op) \
	MOVOU at(AX), X8 \
	op    X8, X0     \
	op    X8, X1     \
	op    X8, X2     \
	op    X8, X3     \
	op    X8, X4     \
	op    X8, X5     \
	op    X8, X6     \
	op    X8, X7

#define XOR(x, at) \
	MOVOU at(SI), X8 \
	PXOR  X8, x      \
	MOVOU x, at(DI)

#define ROUND1(at) \
	MOVOU  at(AX), X1 \
	AESENC X1, X0

// func xorBlocks(schedule *schedule, counter *[16]byte, dst, src *byte, blocks int)
TEXT ·xorBlocks(SB), NOSPLIT, $0-40
	MOVQ   schedule+0(FP), AX
	MOVQ   counter+8(FP), BX
	MOVQ   dst+16(FP), DI
	MOVQ   src+24(FP), SI
	MOVQ   blocks+32(FP), CX
	MOVQ   0(BX), R8
	MOVQ   8(BX), R9
	BSWAPQ R8
	BSWAPQ R9

eight:
	SUBQ  $8, CX
	JLT   rest
	MOVOU (AX), X8
	COUNTER(X0)
	COUNTER(X1)
	COUNTER(X2)
	COUNTER(X3)
	COUNTER(X4)
	COUNTER(X5)
	COUNTER(X6)
	COUNTER(X7)
	ROUND(16, AESENC)
	ROUND(32, AESENC)
	ROUND(48, AESENC)
	ROUND(64, AESENC)
	ROUND(80, AESENC)
	ROUND(96, AESENC)
	ROUND(112, AESENC)
	ROUND(128, AESENC)
	ROUND(144, AESENC)
	ROUND(160, AESENCLAST)
	XOR(X0, 0)
	XOR(X1, 16)
	XOR(X2, 32)
	XOR(X3, 48)
	XOR(X4, 64)
	XOR(X5, 80)
	XOR(X6, 96)
	XOR(X7, 112)
	ADDQ  $128, SI
	ADDQ  $128, DI
	JMP   eight

rest:
	ADDQ $8, CX

	// Blocks do not wait for each other: the processor works on several turns of this loop at a time.
one:
	SUBQ       $1, CX
	JLT        done
	MOVOU      (AX), X8
	COUNTER(X0)
	ROUND1(16)
	ROUND1(32)
	ROUND1(48)
	ROUND1(64)
	ROUND1(80)
	ROUND1(96)
	ROUND1(112)
	ROUND1(128)
	ROUND1(144)
	MOVOU      160(AX), X1
	AESENCLAST X1, X0
	XOR(X0, 0)
	ADDQ       $16, SI
	ADDQ       $16, DI
	JMP        one

done:
	BSWAPQ R8
	BSWAPQ R9
	MOVQ   R8, 0(BX)
	MOVQ   R9, 8(BX)
	RET

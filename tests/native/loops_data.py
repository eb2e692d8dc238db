"""Short pieces of assembly as LLVM prints it, with loops in them."""

EPILOGUE = """
	.text
	.globl	kernel
kernel:
	testq	%r8, %r8
	jle	.LBB0_9
	cmpq	$64, %r8
	jb	.LBB0_5
	.p2align	4
.LBB0_3:
	vmaxps	(%rcx,%r9,4), %zmm0, %zmm1
	vmaxps	64(%rcx,%r9,4), %zmm0, %zmm2
	vmovups	%zmm1, (%rax,%r9,4)
	vmovups	%zmm2, 64(%rax,%r9,4)
	addq	$32, %r9
	cmpq	%r9, %rdx
	jne	.LBB0_3
	testb	$56, %r8b
	je	.LBB0_7
.LBB0_5:
	vmaxps	(%rcx,%r9,4), %ymm0, %ymm1
	vmovups	%ymm1, (%rax,%r9,4)
	addq	$8, %r9
	cmpq	%r9, %rdx
	jne	.LBB0_5
.LBB0_7:
	vmaxss	(%rcx,%r9,4), %xmm0, %xmm1
	vmovss	%xmm1, (%rax,%r9,4)
	vmaxss	4(%rcx,%r9,4), %xmm0, %xmm1
	vmovss	%xmm1, 4(%rax,%r9,4)
	vmaxss	8(%rcx,%r9,4), %xmm0, %xmm1
	vmovss	%xmm1, 8(%rax,%r9,4)
	addq	$3, %r9
	cmpq	%r9, %r8
	jne	.LBB0_7
.LBB0_9:
	retq
.Lfunc_end0:
	.globl	_ZN7cpython6kernel
_ZN7cpython6kernel:
.LBB1_1:
	vfmadd231ps	%zmm0, %zmm1, %zmm2
	jmp	.LBB1_1
"""
"""A main loop, a narrower epilogue, an unrolled scalar remainder, and a wrapper that is none of the kernel's."""

PRODUCT = """
pack:
.LBB0_1:
	vmovups	(%rsi), %zmm0
	vmovups	64(%rsi), %zmm1
	vmovups	128(%rsi), %zmm2
	vmovups	192(%rsi), %zmm3
	vmovups	%zmm0, (%rdi)
	vmovups	%zmm1, 64(%rdi)
	vmovups	%zmm2, 128(%rdi)
	vmovups	%zmm3, 192(%rdi)
	addq	$256, %rsi
	decq	%rcx
	jne	.LBB0_1
	retq
kernel:
.LBB1_1:
	movabsq	$pack, %rax
	callq	*%rax
.LBB1_2:
	xorl	%edx, %edx
.LBB1_3:
	vmovups	(%rsi), %zmm1
	vfmadd231ps	(%rdi){1to16}, %zmm1, %zmm0
	addq	$64, %rsi
	decq	%rdx
	jne	.LBB1_3
	decq	%rbx
	jne	.LBB1_2
	decq	%r12
	jne	.LBB1_1
	retq
"""
"""A product: three loops in one another, the outermost of which calls a packing loop in another function."""

TABLE = """
kernel:
	jmpq	*.LJTI0_0(,%rax,8)
.LBB0_1:
	addss	(%rdi), %xmm0
	decq	%rcx
	jne	.LBB0_1
	retq
.LBB0_2:
	retq
.Lfunc_end0:
	.section	.rodata
.LJTI0_0:
	.quad	.LBB0_1
	.quad	.LBB0_2
"""
"""A loop that is reached through a jump table only."""

STRAIGHT = "kernel:\n\taddss\t(%rdi), %xmm0\n\tretq\n"
